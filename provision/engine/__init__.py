"""The verbs, and the only room with time, threads and order. Knows no terminal."""
