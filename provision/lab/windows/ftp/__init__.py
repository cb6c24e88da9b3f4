"""An FTP server that behaves as the one of IIS, on pyftpdlib. It reads configuration; it never writes it."""
