"""A real WinRM endpoint for the lab: HTTP(S), WSMan, message encryption, PSRP and WinRS.

It must not know what a script says: it hands every pipeline and process to a `ScriptHost`.
"""
