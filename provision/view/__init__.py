"""What people see: lines of styled text made from values, and the one door through which they leave. Decides nothing."""
