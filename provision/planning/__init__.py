"""Diff, order, plan, safety: from two states to the steps between them. Pure; knows no wire, file or clock."""
