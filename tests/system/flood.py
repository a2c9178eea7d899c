"""Opens COUNT connections to HOST:PORT from the address FROM and holds them until it is ended.

Says one line of JSON when all have been tried: how many the system let us open, and how many the other
side had closed again by then.
"""
import json
import resource
import select
import signal
import socket
import sys

host, port, source, count = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
hard = max(resource.getrlimit(resource.RLIMIT_NOFILE)[1], count + 64)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

held = []
failed = 0
for _ in range(count):
    connection = socket.socket()
    connection.bind((source, 0))
    connection.settimeout(5)
    try:
        connection.connect((host, port))
    except OSError:
        failed += 1
    # A closed one stays in the list: the number of our sockets is what the flood is about.
    held.append(connection)

poll = select.poll()
for connection in held:
    poll.register(connection, select.POLLIN | select.POLLHUP)
closed = len(poll.poll(0))
print(json.dumps({"opened": count - failed, "failed": failed, "closed": closed}), flush=True)
signal.pause()
