"""What people see: styled lines made from values, and the one door through which they leave. Decides nothing."""
