"""The program through which a worker reaches the few places that policy names.

``python -I -S proxy.py <socket> <host:port>...`` listens on a unix socket, speaks HTTP
``CONNECT``, and connects to the named destinations and nothing else.
"""

from __future__ import annotations
