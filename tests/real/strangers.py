"""FTP clients on ftplib, run on the client's machine: `python strangers.py WHAT ...`, the password in FTP_PASSWORD.

It knows nothing of the product. One JSON line tells what happened; an error ends it.
"""

import ftplib
import io
import json
import os
import random
import select
import sys
import time
from concurrent.futures import ThreadPoolExecutor

USER = "ftpuser"
TIMEOUT = 20


def login(address, source="", tls=False):
    client = ftplib.FTP_TLS(timeout=TIMEOUT) if tls else ftplib.FTP(timeout=TIMEOUT)
    client.connect(address, 21, source_address=(source, 0) if source else None)
    client.login(USER, os.environ["FTP_PASSWORD"])
    if tls:
        client.prot_p()
    return client


def moved(client, name, data):
    """Up, listed, down, compared, deleted."""
    client.storbinary(f"STOR {name}", io.BytesIO(data))
    parts = []
    client.retrbinary(f"RETR {name}", parts.append)
    same = b"".join(parts) == data and name in client.nlst()
    client.delete(name)
    return same


def crowd(address, tls, *sources):
    """One client for each source address, all at once, each with files of its own."""

    def one(source):
        client = login(address, source, tls == "tls")
        data = random.Random(source).randbytes(200_000)
        same = [moved(client, f"{source}-{number}", data[number:]) for number in range(5)]
        client.quit()
        return all(same)

    with ThreadPoolExecutor(len(sources)) as pool:
        return {"same": list(pool.map(one, sources))}


def looping(address):
    """Log in, move a file, leave, again and again until standard input ends; every failure is told."""
    logins, failures = 0, []
    while not select.select([sys.stdin], [], [], 0)[0]:
        try:
            client = login(address)
            if not moved(client, f"loop-{os.getpid()}", b"x" * 20_000):
                failures.append("other bytes came back")
            client.quit()
        except (OSError, EOFError, ftplib.Error) as problem:
            failures.append(f"{time.time():.3f} {problem!r}")
        logins += 1
    return {"logins": logins, "failures": failures}


if __name__ == "__main__":
    done = {"crowd": crowd, "looping": looping}[sys.argv[1]](*sys.argv[2:])
    print(json.dumps(done))
