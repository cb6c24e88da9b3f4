"""The verbs, and the only room with time, threads and order. Knows no terminal: it reports events and returns values."""
