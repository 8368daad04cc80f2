// SPDX-License-Identifier: BSD-2-Clause
/* Events in queues. How control blocks and pages come and go is in event_fifo_control.c. */
#include "shim/event_fifo.h"

#include "shim/event_port.h"
#include "shim/event_upcall.h"

#define BIT(name)  (1u << EVTCHN_FIFO_##name)
#define LINK(port) ((port)&EVTCHN_FIFO_LINK_MASK)

/* On the way of every event: worth a copy for each of the two that come this way. */
#define ALWAYS_INLINE inline __attribute__((always_inline))

static struct fifo *fifo_of(const struct domain *d)
{
	return __atomic_load_n(&d->events.fifo, __ATOMIC_ACQUIRE);
}

static bool test_and_set(uint32_t *word, uint32_t bit)
{
	return __atomic_fetch_or(word, bit, __ATOMIC_SEQ_CST) & bit;
}

static void clear(uint32_t *word, uint32_t bit)
{
	__atomic_fetch_and(word, ~bit, __ATOMIC_SEQ_CST);
}

static bool test(const uint32_t *word, uint32_t bit)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST) & bit;
}

/* The page with the port's word; NULL: the guest has not given it yet. */
static struct gpc *page_of(struct fifo *f, evtchn_port_t port)
{
	unsigned nr = __atomic_load_n(&f->nr_pages, __ATOMIC_SEQ_CST);
	unsigned page = port / FIFO_WORDS_PER_PAGE;

	return page < nr ? &f->pages[page] : NULL;
}

static uint32_t *word_in(void *page, evtchn_port_t port)
{
	return page ? (uint32_t *)page + port % FIFO_WORDS_PER_PAGE : NULL;
}

/*
 * Within the section of an attempt, which ends here if the memory must be looked up again. NULL
 * without that: there is none.
 */
static __attribute__((noinline)) void *find_slowly(struct gpc *gpc, struct event_try *try)
{
	void *hva = gpc_lock_nosleep(gpc);

	if (hva)
		gpc_unlock(gpc); /* the attempt's own section goes on */
	else if (gpc_is_active(gpc) && gpc != try->gone)
		try->missing = gpc;
	return hva;
}

/* As gpc_lock(), but for what the section around it does already. */
static inline void *find(struct gpc *gpc, struct event_try *try)
{
	const struct memslot_set *set = memslots_current(gpc->slots);

	if (__builtin_expect(__atomic_load_n(&gpc->generation, __ATOMIC_ACQUIRE) == set->generation,
			     1)) {
		void *hva = __atomic_load_n(&gpc->hva, __ATOMIC_RELAXED);

		if (__builtin_expect(hva != NULL, 1))
			return hva;
	}
	return find_slowly(gpc, try);
}

/*
 * Without a page the port's state is kept here until there is one. The page may come at this
 * moment: who adds it looks at the ports afterwards, we look for the page once more, and who takes
 * the state away has the event.
 */
static struct gpc *page_or_save(struct fifo *f, evtchn_port_t port, struct port *p)
{
	struct gpc *page = page_of(f, port);

	if (__builtin_expect(page != NULL, 1))
		return page;
	__atomic_store_n(&p->saved_pending, true, __ATOMIC_SEQ_CST);
	page = page_of(f, port);
	if (!page || !__atomic_exchange_n(&p->saved_pending, false, __ATOMIC_SEQ_CST))
		return NULL;
	return page;
}

static struct gpc *control_of(struct fifo *f, const struct vcpu *v)
{
	return v->id < f->nr_vcpus ? &f->vcpus[v->id].control : NULL;
}

/*
 * Queues.
 */

/* The queue of the port now, and the one where it was linked last; both locked. */
struct queues {
	struct fifo_queue *now, *last;
};

static uint32_t queue_id(unsigned vcpu, uint8_t priority)
{
	return vcpu << 8 | priority;
}

static struct fifo_queue *queue_of(struct fifo *f, uint32_t id)
{
	return &f->vcpus[id >> 8].queue[id & 0xff];
}

static void lock_both(const struct queues *q)
{
	short_lock(q->now <= q->last ? &q->now->lock : &q->last->lock);
	if (q->now != q->last)
		short_lock(q->now <= q->last ? &q->last->lock : &q->now->lock);
}

static void unlock_both(const struct queues *q)
{
	if (q->last != q->now)
		short_unlock(&q->last->lock);
	short_unlock(&q->now->lock);
}

/*
 * While its last queue is locked, nobody links the port elsewhere. It may have been while we waited
 * for the lock. A guest that has its port moved again and again at just that moment confuses its
 * own queues only.
 */
#define LOCK_TRIES 64

static __attribute__((noinline)) struct queues lock_queues_slowly(struct fifo *f, uint32_t now,
								  const struct port *p)
{
	struct queues q = {.now = queue_of(f, now)};

	for (unsigned try = 1;; try++) {
		uint32_t last = __atomic_load_n(&p->last_queue, __ATOMIC_ACQUIRE);

		q.last = queue_of(f, last);
		lock_both(&q);
		if (__atomic_load_n(&p->last_queue, __ATOMIC_ACQUIRE) == last || try == LOCK_TRIES)
			return q;
		unlock_both(&q);
	}
}

/* A port nearly always stays in its queue. */
static inline struct queues lock_queues(struct fifo *f, uint32_t now, const struct port *p)
{
	struct fifo_queue *queue = queue_of(f, now);

	short_lock(&queue->lock);
	if (__builtin_expect(__atomic_load_n(&p->last_queue, __ATOMIC_ACQUIRE) == now, 1))
		return (struct queues){queue, queue};
	short_unlock(&queue->lock);
	return lock_queues_slowly(f, now, p);
}

/*
 * Make the tail point to the port, if it is still linked: otherwise the guest has consumed it, and
 * the queue is empty. The guest may change the word meanwhile: mask, unmask, clear PENDING, unlink.
 * BUSY keeps it from unmasking, so the others can happen once each. A guest that does not keep to
 * that loses the event.
 */
static bool link_to_tail(uint32_t *tail, evtchn_port_t port)
{
	uint32_t old = __atomic_load_n(tail, __ATOMIC_SEQ_CST);
	bool busy = false;

	for (unsigned try = 0; try < 5 && old & BIT(LINKED); try++) {
		uint32_t new = (old & ~(BIT(BUSY) | EVTCHN_FIFO_LINK_MASK)) | LINK(port);

		if (__atomic_compare_exchange_n(tail, &old, new, false, __ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST))
			return true;
		if (!busy)
			old = __atomic_or_fetch(tail, BIT(BUSY), __ATOMIC_SEQ_CST);
		busy = true;
	}
	if (busy)
		clear(tail, BIT(BUSY));
	return old & BIT(LINKED);
}

/* All memory that an attempt may touch, as seen in its section. */
struct place {
	bool pending_already; /* and shall not be set if the guest clears it now */
	struct gpc *page, *tail_page, *control_gpc;
	uint32_t *word;
	uint32_t *tail; /* NULL: the queue is empty */
	struct evtchn_fifo_control_block *control;
};

/*
 * Put the port, which is marked as linked, at the end of its queue. True: the queue was empty, the
 * vCPU must look at it.
 */
static ALWAYS_INLINE bool link_port(evtchn_port_t port, struct port *p, uint32_t id,
				    const struct queues *q, const struct place *at)
{
	uint32_t *head = &at->control->head[id & 0xff];

	/* If it was a tail, it is none any more: nothing shall be linked behind it there. */
	if (q->last->tail == port)
		q->last->tail = 0;
	if (q->last != q->now)
		__atomic_store_n(&p->last_queue, id, __ATOMIC_RELEASE);
	if (q->now->tail && at->tail) {
		bool linked = link_to_tail(at->tail, port);

		q->now->tail = port;
		if (linked)
			return false;
	}
	__atomic_store_n(head, port, __ATOMIC_SEQ_CST);
	q->now->tail = port;
	return true;
}

/* With the queues locked. An event that is linked already stays where it is. */
static ALWAYS_INLINE unsigned put(evtchn_port_t port, struct port *p, uint32_t id,
				  const struct queues *q, const struct place *at)
{
	unsigned done = 0;

	if (!at->pending_already && !test_and_set(at->word, BIT(PENDING)))
		done = EVENT_NEW;
	if (!test(at->word, BIT(MASKED)) && !test_and_set(at->word, BIT(LINKED)) &&
	    link_port(port, p, id, q, at))
		done |= EVENT_NOTIFY;
	return done;
}

/*
 * The word of the queue's tail, before anything is changed, unless it is the port itself. False:
 * the attempt ends.
 */
static ALWAYS_INLINE bool find_tail(struct fifo *f, evtchn_port_t port, const struct queues *q,
				    struct place *at, struct event_try *try)
{
	if (!q->now->tail || q->now->tail == port)
		return true;
	at->tail_page = page_of(f, q->now->tail);
	if (at->tail_page)
		at->tail = word_in(find(at->tail_page, try), q->now->tail);
	return !try->missing;
}

/* All that may have been written, while the dirty log or a tracker wants to know. */
static __attribute__((noinline)) void tell_written(const struct place *at, bool control)
{
	gpc_written(at->page, at->word, sizeof(*at->word));
	if (control)
		gpc_written(at->control_gpc, at->control, sizeof(*at->control));
	if (at->tail)
		gpc_written(at->tail_page, at->tail, sizeof(*at->tail));
}

/*
 * The lock is held from before PENDING is set until the event is in its queue: nobody sees it
 * pending and does not find it there.
 */
static ALWAYS_INLINE unsigned put_in_queue(struct fifo *f, struct vcpu *v, evtchn_port_t port,
					   struct port *p, struct place *at, struct event_try *try)
{
	uint32_t id = queue_id(v->id, __atomic_load_n(&p->priority, __ATOMIC_RELAXED));
	struct queues q = lock_queues(f, id, p);
	unsigned done = find_tail(f, port, &q, at, try) ? put(port, p, id, &q, at) : 0;
	bool was_empty;

	unlock_both(&q);
	was_empty = done & EVENT_NOTIFY;
	/* Which queue it is; if the vCPU has been told so before, it need not be again. */
	if (was_empty && test_and_set(&at->control->ready, 1u << (id & 0xff)))
		done &= ~EVENT_NOTIFY;
	if (__builtin_expect(memslots_current(at->page->slots)->watched, 0))
		tell_written(at, was_empty);
	return done;
}

/*
 * Without a control block the event is dropped, as by Xen: a guest must not unmask before it has
 * given one. at->page and at->word are known.
 */
static ALWAYS_INLINE unsigned put_at(struct vcpu *v, evtchn_port_t port, struct port *p,
				     struct place *at, struct event_try *try)
{
	struct fifo *f = fifo_of(v->domain);

	at->control_gpc = control_of(f, v);
	if (!at->control_gpc)
		return 0;
	at->control = find(at->control_gpc, try);
	return at->control ? put_in_queue(f, v, port, p, at, try) : 0;
}

static unsigned set_pending(struct vcpu *v, evtchn_port_t port, struct port *p,
			    struct event_try *try)
{
	struct place at = {.page = page_or_save(fifo_of(v->domain), port, p)};

	if (!at.page)
		return 0;
	at.word = word_in(find(at.page, try), port);
	return at.word ? put_at(v, port, p, &at, try) : 0;
}

/*
 * What is pending is linked, and not made pending once more: the guest may have taken the event as
 * soon as it was unmasked, and would get it twice. (Xen sets it again.)
 */
static unsigned unmask(struct vcpu *v, evtchn_port_t port, struct port *p, struct event_try *try)
{
	struct place at = {.page = page_of(fifo_of(v->domain), port), .pending_already = true};

	if (!at.page)
		return 0;
	at.word = word_in(find(at.page, try), port);
	if (!at.word)
		return 0;
	clear(at.word, BIT(MASKED));
	gpc_written(at.page, at.word, sizeof(*at.word));
	return test(at.word, BIT(PENDING)) ? put_at(v, port, p, &at, try) : 0;
}

static void notify(struct vcpu *v, evtchn_port_t port, unsigned done)
{
	guest_vcpu_info *info = vcpu_info_lock(v);

	(void)port;
	(void)done;
	if (!info)
		return;
	event_upcall_raise(v, info);
	vcpu_info_unlock_written(v, info);
}

/*
 * One port, at leisure.
 */

static bool has(const struct domain *d, evtchn_port_t port, uint32_t bit)
{
	struct gpc *page = page_of(fifo_of(d), port);
	const uint32_t *word = page ? word_in(gpc_lock(page), port) : NULL;
	bool set;

	if (!word)
		return false;
	set = test(word, bit);
	gpc_unlock(page);
	return set;
}

static bool is_pending(struct domain *d, evtchn_port_t port)
{
	return has(d, port, BIT(PENDING));
}

static bool is_linked(struct domain *d, evtchn_port_t port)
{
	return has(d, port, BIT(LINKED));
}

/* It stays in its queue: the guest will find that it is not pending. */
static void clear_pending(struct domain *d, evtchn_port_t port, struct port *p)
{
	struct gpc *page = page_of(fifo_of(d), port);
	uint32_t *word = page ? word_in(gpc_lock(page), port) : NULL;

	__atomic_store_n(&p->saved_pending, false, __ATOMIC_SEQ_CST);
	if (!word)
		return;
	clear(word, BIT(PENDING));
	gpc_written(page, word, sizeof(*word));
	gpc_unlock(page);
}

static evtchn_port_t ports(const struct domain *d)
{
	(void)d;
	return EVTCHN_FIFO_NR_CHANNELS;
}

static void bound(struct domain *d, struct port *p)
{
	(void)d;
	__atomic_store_n(&p->priority, EVTCHN_FIFO_PRIORITY_DEFAULT, __ATOMIC_RELAXED);
}

/* For future events: one that is linked stays in its queue. */
static long set_priority(struct port *p, uint32_t priority)
{
	if (priority > EVTCHN_FIFO_PRIORITY_MIN)
		return -XEN_EINVAL;
	__atomic_store_n(&p->priority, priority, __ATOMIC_RELAXED);
	return 0;
}

const struct event_abi event_fifo = {
	.ports = ports,
	.set_pending = set_pending,
	.unmask = unmask,
	.notify = notify,
	.is_pending = is_pending,
	.clear_pending = clear_pending,
	.bound = bound,
	.is_busy = is_linked,
	.set_priority = set_priority,
};
