"""`rabbitmq`: a queue of a RabbitMQ broker in Amazon MQ; like `activemq`, with a virtual host."""

from pileus.compile.compilation import Compilation
from pileus.compile.events.activemq import compile_queues
from pileus.service.model import Event, Function


def compile_events(c: Compilation, uses: list[tuple[Function, Event]]) -> None:
    compile_queues(c, uses, "RabbitMQ")
