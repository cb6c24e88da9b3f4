"""The machines: for each kind, what to run to read it, what its answer means, what it should be, how to change it.

Everything here is pure: scripts go out and bytes come in as values. It must not know who carries them.
"""
