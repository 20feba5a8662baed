"""Fake AWS services on a free port. Prints its address, and ends with its parent: when standard input closes."""

import sys
import threading

from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.server import ThreadedMotoServer
from moto.sqs.models import SQSBackend

# One request at a time: moto's queues lose a message that is sent while another one is deleted.
one_at_a_time = threading.Lock()
answer = DomainDispatcherApplication.__call__


def answer_alone(self, environ, start_response):
    with one_at_a_time:
        return answer(self, environ, start_response)


DomainDispatcherApplication.__call__ = answer_alone

# Nobody waits for messages inside the lock: long polling would stop every other test.
receive = SQSBackend.receive_message


def receive_at_once(self, queue_name, count, _wait_seconds, *rest):
    return receive(self, queue_name, count, 0, *rest)


SQSBackend.receive_message = receive_at_once

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
print(f"http://{host}:{port}", flush=True)
sys.stdin.read()
