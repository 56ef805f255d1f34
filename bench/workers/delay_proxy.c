/*
 * A link with a delay: TCP on the loopback, by which clients reach the server on a Unix socket.
 * Each chunk of bytes goes on a fixed time after it came, in the order in which it came; nothing
 * is held back to be sent with something else, and what has gone on delays nobody.
 *
 *     delay_proxy MICROSECONDS SOCKET
 *
 * prints the port that it listens on, and ends at the end of its input. What goes wrong in itself
 * ends it, too; what goes wrong with one connection ends that.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CHUNK 65536
#define EVENTS 64
#define NANOSECONDS 1000000000LL

/* One of the two sockets of a connection. */
struct end {
    int fd;
    bool finished; /* it has sent all, and the other end knows */
    struct end *other;
};

struct chunk {
    struct chunk *next;
    long long due; /* by the monotonic clock */
    struct end *to;
    size_t length; /* 0 tells the end of all bytes */
    char bytes[];
};

/* The delay is the same for all, so the order of coming is that of going. */
struct queue {
    struct chunk *first, **last;
};

struct proxy {
    int epoll, listener;
    long long delay;
    struct sockaddr_un server;
    struct queue queue;
};

static void
fail(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static long long
now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * NANOSECONDS + time.tv_nsec;
}

static void
queue_add(struct queue *queue, struct chunk *chunk)
{
    chunk->next = NULL;
    *queue->last = chunk;
    queue->last = &chunk->next;
}

static struct chunk *
queue_take(struct queue *queue)
{
    struct chunk *chunk = queue->first;
    queue->first = chunk->next;
    if (!queue->first) queue->last = &queue->first;
    return chunk;
}

static void
watch(const struct proxy *proxy, int fd, void *what)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};
    if (epoll_ctl(proxy->epoll, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
}

static struct end *
end_new(int fd)
{
    struct end *end = calloc(1, sizeof(*end));
    if (!end) fail("calloc");
    end->fd = fd;
    return end;
}

/* A small chunk must not wait for the acknowledgement of the one before it. */
static void
proxy_connect(const struct proxy *proxy, int client)
{
    int yes = 1, server = socket(AF_UNIX, SOCK_STREAM, 0);
    const struct sockaddr *address = (const struct sockaddr *)&proxy->server;
    if (server < 0 || connect(server, address, sizeof(proxy->server)) < 0) fail("connect");
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));

    struct end *near = end_new(client), *far = end_new(server);
    near->other = far;
    far->other = near;
    watch(proxy, near->fd, near);
    watch(proxy, far->fd, far);
}

/* A connection that was reset has ended as well. */
static void
proxy_receive(struct proxy *proxy, struct end *end)
{
    static char buffer[CHUNK];
    ssize_t received = recv(end->fd, buffer, sizeof(buffer), 0);
    size_t length = received > 0 ? (size_t)received : 0;
    if (!length) epoll_ctl(proxy->epoll, EPOLL_CTL_DEL, end->fd, NULL);

    struct chunk *chunk = malloc(sizeof(*chunk) + length);
    if (!chunk) fail("malloc");
    chunk->due = now() + proxy->delay;
    chunk->to = end->other;
    chunk->length = length;
    memcpy(chunk->bytes, buffer, length);
    queue_add(&proxy->queue, chunk);
}

/* Both ends stay until both have finished, for chunks that are under way point to them. */
static void
end_finish(struct end *to)
{
    struct end *from = to->other;
    shutdown(to->fd, SHUT_WR);
    from->finished = true;
    if (!to->finished) return;

    close(to->fd);
    close(from->fd);
    free(to);
    free(from);
}

/*
 * What is sent in the benchmark is little beside what a socket holds, so that no send waits. An
 * end that is gone is found out when it is read from.
 */
static void
end_send(const struct end *to, const struct chunk *chunk)
{
    for (size_t done = 0; done < chunk->length;) {
        ssize_t sent = send(to->fd, chunk->bytes + done, chunk->length - done, MSG_NOSIGNAL);
        if (sent < 0) return;
        done += (size_t)sent;
    }
}

static void
proxy_deliver(struct proxy *proxy)
{
    while (proxy->queue.first && proxy->queue.first->due <= now()) {
        struct chunk *chunk = queue_take(&proxy->queue);
        if (chunk->length) end_send(chunk->to, chunk);
        else end_finish(chunk->to);
        free(chunk);
    }
}

/* Milliseconds would be too coarse, so this isn't epoll_wait. */
static int
proxy_wait(const struct proxy *proxy, struct epoll_event *events)
{
    const struct chunk *first = proxy->queue.first;
    if (!first) return epoll_pwait2(proxy->epoll, events, EVENTS, NULL, NULL);

    long long left = first->due - now();
    struct timespec timeout = {0};
    if (left > 0) {
        timeout.tv_sec = left / NANOSECONDS;
        timeout.tv_nsec = left % NANOSECONDS;
    }
    return epoll_pwait2(proxy->epoll, events, EVENTS, &timeout, NULL);
}

static void
proxy_accept(const struct proxy *proxy)
{
    int client = accept(proxy->listener, NULL, NULL);
    if (client < 0) fail("accept");
    proxy_connect(proxy, client);
}

static void
proxy_serve(struct proxy *proxy)
{
    struct epoll_event events[EVENTS];
    watch(proxy, STDIN_FILENO, NULL);
    watch(proxy, proxy->listener, proxy);
    for (;;) {
        int count = proxy_wait(proxy, events);
        if (count < 0) fail("epoll_pwait2");
        for (int i = 0; i < count; i++) {
            void *what = events[i].data.ptr;
            if (!what) return;
            if (what == proxy) proxy_accept(proxy);
            else proxy_receive(proxy, what);
        }
        proxy_deliver(proxy);
    }
}

static int
listener_open(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) < 0 ||
        listen(listener, SOMAXCONN) < 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) < 0)
        fail("listen");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

int
main(int argc, char **argv)
{
    struct proxy proxy = {.server.sun_family = AF_UNIX};
    if (argc != 3 || strlen(argv[2]) >= sizeof(proxy.server.sun_path)) {
        fputs("delay_proxy MICROSECONDS SOCKET\n", stderr);
        return EXIT_FAILURE;
    }
    proxy.delay = atoll(argv[1]) * 1000;
    strcpy(proxy.server.sun_path, argv[2]);
    proxy.queue.last = &proxy.queue.first;
    proxy.epoll = epoll_create1(0);
    if (proxy.epoll < 0) fail("epoll_create1");
    /* The kernel would let a sleep last 50 us longer, to wake up for several things at once. */
    prctl(PR_SET_TIMERSLACK, 1UL);
    proxy.listener = listener_open();
    proxy_serve(&proxy);
    return EXIT_SUCCESS;
}
