"""A machine with HAProxy in front of the FTP servers: CentOS, RHEL, Rocky or Alma, 7 to 10.

`reading` reads it, `desired` says what it should be, `change` changes it, `generations` keeps its past, `live` asks for
sessions and health, `haproxy_cfg` writes its configuration, `by_hand` says the same to a person. The `*.sh` files run
there; they are constants that know nothing of any cluster.
"""
