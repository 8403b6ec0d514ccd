"""The pure protocol core: bytes in, values out, with no socket, clock, gevent or Locust in sight.

``errors`` is the exception tree. ``jsonrpc`` turns bytes into messages, ``session`` matches answers to requests,
``mcp`` knows the messages of each method and revision, ``frames`` is the WebSocket codec, ``events`` cleans event streams.
"""
