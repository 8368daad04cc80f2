/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The user-mode network of libslirp, as a program of its own: a hidden subcommand, started by the
 * user-mode link where there is no passt.
 */
#ifndef HOST_BACKEND_NET_SLIRP_MAIN_H
#define HOST_BACKEND_NET_SLIRP_MAIN_H

#define NET_SLIRP_COMMAND "net-slirp"

/*
 * argv: the command's name; the descriptor of a frame socket (link_stream.c); then forwards:
 * tcp|udp:HOST-ADDRESS:HOST-PORT:GUEST-PORT. Returns when the socket's other end is closed, with
 * the program's exit status.
 */
int net_slirp_main(int argc, char **argv);

#endif
