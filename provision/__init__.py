"""Load-balanced IIS FTP behind HAProxy, from one cluster file."""

__version__ = "0.1.0"
