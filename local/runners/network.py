"""Network isolation for Python: what opens sockets in native code, or in another program, is not reached."""
import errno
import socket


def cut_off():
    original = socket.socket.connect

    def connect(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6):
            raise OSError(errno.ENETUNREACH, "Network is unreachable (EnableNetworkIsolation)")
        return original(self, address)

    def resolve(*_args, **_kwargs):
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution (EnableNetworkIsolation)")

    socket.socket.connect = socket.socket.connect_ex = connect
    socket.getaddrinfo = resolve
