/* GNU-only calls and macros that `import Glibc` does not show. No logic. */
#pragma once
#include <linux/magic.h>
#include <linux/sched.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/vfs.h>

/* setns(2): moves the calling thread into the namespace that `fd` stands for. */
int clinux_setns(int fd, int nstype);
/* unshare(2): gives the calling thread namespaces of its own. */
int clinux_unshare(int flags);
/* strerrordesc_np(3): a static string, or NULL for a number that is no error. */
const char *clinux_strerrordesc(int error);
/* strerrorname_np(3): "EPERM" and the like, or NULL. */
const char *clinux_strerrorname(int error);
/* SO_PEERCRED of a Unix socket: struct ucred is GNU-only. */
int clinux_peer_credentials(int fd, int *pid, unsigned int *uid, unsigned int *gid);
/* accept4(2) with SOCK_CLOEXEC and SOCK_NONBLOCK. */
int clinux_accept(int fd);
/* accept4(2) with SOCK_CLOEXEC: the connection waits in its calls. */
int clinux_accept_waiting(int fd);
/* sendmsg(2) with MSG_NOSIGNAL of one packet, and with it a descriptor (SCM_RIGHTS) unless that is negative. */
long clinux_send_packet(int fd, const void *bytes, size_t length, int descriptor);
/* recvmsg(2) with MSG_CMSG_CLOEXEC of one packet: its octets and the descriptor that came with it, or -1. A packet that
   is longer, or brings more of them, is an error (EMSGSIZE). */
long clinux_receive_packet(int fd, void *bytes, size_t length, int *descriptor);
/* shutdown(2) of the sending half. */
int clinux_finish_sending(int fd);
/* 1 when the peer sends no more (POLLRDHUP), 2 when it has gone (POLLHUP), else 0. */
int clinux_peer_state(int fd);
/* The length of the next packet, which stays there; waits for it. 0 when the peer has closed its end. */
long clinux_packet_length(int fd);
/* SIOCOUTQ: how much memory the packets hold that the peer has not received, or -1. */
int clinux_unread_output(int fd);
/* SO_RCVTIMEO and SO_SNDTIMEO, in milliseconds; 0 waits for ever. */
int clinux_socket_timeouts(int fd, long receive_ms, long send_ms);
/* pipe2(2) with O_CLOEXEC. */
int clinux_pipe(int ends[2]);
/* SIOCGIFINDEX in the namespace of any socket: the index, or -1. */
int clinux_link_index(int socket, const char *name);
/* NS_GET_NSTYPE: the CLONE_NEW… of a namespace file's namespace, or -1. */
int clinux_namespace_kind(int namespace);
/* SIOCGSKNS: a descriptor of the network namespace that any socket is of, with O_CLOEXEC, or -1. */
int clinux_socket_netns(int socket);
/* ETHTOOL_GTXCSUM and, if `wanted` is 0 or 1, ETHTOOL_STXCSUM of a link, over any socket: what is in force, or -1. */
int clinux_tx_checksum(int socket, const char *name, int wanted);
/* The process's environment, ended by NULL. */
char **clinux_environ(void);
/* memfd_create(2) with MFD_CLOEXEC. */
int clinux_memfd(const char *name);
/* pidfd_open(2): readable when the process has ended. */
int clinux_pidfd(int pid);
/* waitpid(2) of a process that has ended; `code` is its exit status, or -1 and `signal` is what ended it. */
int clinux_reap(int pid, int *code, int *signal);
/* Gives SIGCHLD its default action: who has inherited "ignore" cannot wait for a child. */
void clinux_default_sigchld(void);
/* Ignores SIGPIPE, or gives it its default action, which ends the process. */
void clinux_handle_sigpipe(int is_ignored);
/* Whether SIGPIPE is ignored. */
int clinux_ignores_sigpipe(void);
/* Has all threads share one heap (mallopt(3), M_ARENA_MAX). */
void clinux_share_heap(void);
/* SIOCGIFNAME: the name of the link of that index into `name`, which has IFNAMSIZ octets. Takes no lock of rtnetlink's. */
int clinux_link_name(int fd, unsigned int index, char *name);
/* Starts a program in a session of its own, without a descriptor or a variable of the caller's; 0 or an errno. */
int clinux_spawn_detached(int *pid, const char *path, char *const arguments[]);
/* Starts a program that the kernel kills when the calling thread ends (PR_SET_PDEATHSIG), with two descriptors as its
   standard input and output; 0 or an errno. */
int clinux_spawn_bound(int *pid, const char *path, char *const arguments[], char *const variables[], int input,
                       int output);
/* TCP_MD5SIG: the key for segments to and from an address of 4 or 16 octets; no octets remove it. */
int clinux_tcp_md5(int fd, const unsigned char *address, size_t address_length, const unsigned char *key,
                   size_t key_length);
/* IP_MINTTL and IPV6_MINHOPCOUNT, which the C library's headers show to GNU sources only. */
int clinux_ip_minttl(void);
int clinux_ipv6_minhopcount(void);
/* SO_ATTACH_FILTER: drops every packet whose IP header has not this octet at that place. */
int clinux_require_octet(int fd, unsigned int place, unsigned char value);
/* epoll_ctl(2) with a number for the descriptor. */
int clinux_epoll_control(int epoll, int operation, int fd, unsigned int events, unsigned long long token);
/* epoll_wait(2): the numbers of at most 64 descriptors that are ready, and what each is ready for. */
int clinux_epoll_wait(int epoll, unsigned long long tokens[64], unsigned int events[64], int milliseconds);
/* PR_SET_TIMERSLACK: the calling thread wakes up when it has asked to, not up to 50 microseconds later. */
void clinux_exact_timers(void);
/* A filter for a netlink socket that listens: it no longer hears of what the socket of that port has asked for. */
int clinux_ignore_netlink_port(int fd, unsigned int port);
