"""The evaluator for the part of Windows PowerShell 5.1 that the shipped scripts are written in."""
