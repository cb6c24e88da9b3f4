"""The embedded lab: stand-ins for Windows servers and a balancer, on loopback.

It may use `provision.model` and `provision.planning`; it must not know the engine, the hosts, the remote
room or the definition. Nothing but `provision/cli/lab.py` reaches it.
"""
