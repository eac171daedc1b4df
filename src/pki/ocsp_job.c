/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ocsp_job.c */
#include "pki/pki.h"
int ocsp_new(struct pki *p, const struct clock_view *n) { (void)p;(void)n; return 0; }
void ocsp_free(struct pki *p) { (void)p; }
void ocsp_fetcher(struct pki *p, uint32_t authority, int fd, const struct clock_view *n) { (void)p;(void)n;(void)fd;(void)authority;}
void ocsp_run(struct pki *p, const struct clock_view *n) { (void)p;(void)n; }
int ocsp_fd(const struct pki *p, size_t s) { (void)p;(void)s; return -1; }
void ocsp_receive(struct pki *p, size_t s, struct ipc_message *m) { (void)p;(void)s;(void)m; }
const struct trust_ocsp *ocsp_said(const struct pki *p) { (void)p; return 0; }
int64_t ocsp_wait(const struct pki *p, const struct clock_view *n, int64_t max) { (void)p;(void)n; return max; }
