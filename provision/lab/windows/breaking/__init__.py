"""How a careless hand breaks a Windows host; `breaks.py` has the table."""
