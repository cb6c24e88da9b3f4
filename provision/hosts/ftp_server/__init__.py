"""The Windows server with IIS FTP: what to ask it, what its answer means, how it should be, how to change it. Pure."""
