"""The lab's model of one Windows server: configuration, services, firewall, FTP, and the process that runs it.

It knows nothing of the wire (lab/winrm), of the PowerShell language (lab/powershell) or of any script by name.
"""
