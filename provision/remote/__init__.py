"""The wire: the only room that imports pypsrp, winrm, requests, fabric and paramiko.

It carries scripts and bytes to hosts and brings answers back. It must not know what an answer means, what a
cluster is, or how a plan is made.
"""
