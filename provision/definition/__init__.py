"""The cluster file: from YAML on disk to a `Cluster`, its advice, its JSON Schema, and its secrets.

`load` reads and checks, `advice` says what is allowed and still worth knowing, `schema` describes the file to editors,
`secrets` resolves references. Nothing here opens a connection or knows any host's answer.
"""
