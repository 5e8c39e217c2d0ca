/* Preloaded into gnutls-serv, which has no option for it: whoever binds to every address binds to
 * the loopback address instead. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int bind(int fd, const struct sockaddr *address, socklen_t len)
{
    struct sockaddr_storage local = { 0 };

    if (len > sizeof(local)) {
        errno = EINVAL;
        return -1;
    }
    memcpy(&local, address, len);
    if (local.ss_family == AF_INET) {
        ((struct sockaddr_in *)&local)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    } else if (local.ss_family == AF_INET6) {
        ((struct sockaddr_in6 *)&local)->sin6_addr = in6addr_loopback;
    }
    return (int)syscall(SYS_bind, fd, &local, len);
}
