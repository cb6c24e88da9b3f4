"""One balancer of the embedded lab: an SSH server, a closed PATH of stand-ins, and the real haproxy."""
