// A log that is read before the first one, and a report that is made of it: browsers compile a function when it is
// called, and the first report of a reader must not wait for that. It has what most reports have.

export const WARM = `[    1.000001] BUG: kernel NULL pointer dereference, address: 0000000000000068
[    1.000002] #PF: supervisor write access in kernel mode
[    1.000003] #PF: error_code(0x0002) - not-present page
[    1.000004] Oops: 0002 [#1] PREEMPT SMP KASAN NOPTI
[    1.000005] CPU: 1 PID: 46 Comm: a Tainted: G           O       6.1.0-13-amd64 #1 Debian 6.1.55-1
[    1.000006] Hardware name: QEMU Standard PC (i440FX + PIIX, 1996), BIOS 1.16.2-debian-1.16.2-1 04/01/2014
[    1.000007] RIP: 0010:a_first+0x15/0x20 [a]
[    1.000008] Code: 49 8b 45 08 48 ba 00 00 00 00 00 fc ff df 0f b6 04 02 48 8b 87 88 00 00 00 <48> 89 50 68 c3 e8 00 10 00 00 c5 f8 77 f3 0f 1e fa
[    1.000009] RSP: 0018:ffffc900001e7c48 EFLAGS: 00010046
[    1.000010] RAX: 0000000000000000 RBX: ffff8df1c28e1b40 RCX: dead000000000100
[    1.000011] RDX: 00000000fffee1d9 RSI: 0000000000000004 RDI: ffff8df1c28e1b40
[    1.000012] CR2: 0000000000000068 CR3: 0000000002d89000 CR4: 0000000000750ee0
[    1.000013] Call Trace:
[    1.000014]  <TASK>
[    1.000015]  ? __die_body+0x1b/0x60
[    1.000016]  a_second+0x1d/0x40 [a]
[    1.000017]  vfs_write+0x22b/0xcb0
[    1.000018]  do_syscall_64+0x2b/0x50
[    1.000019]  entry_SYSCALL_64_after_hwframe+0x4b/0xb5
[    1.000020]  </TASK>
[    1.000021] Modules linked in: a(O) b
[    1.000022] ---[ end trace 0000000000000000 ]---
[    2.000001] BUG: KASAN: slab-use-after-free in a_first+0x5a/0x60 [a]
[    2.000002] Write of size 4 at addr ffff888002d89008 by task init/47
[    2.000003] CPU: 0 PID: 47 Comm: init Tainted: G           O       6.1.0-13-amd64 #1
[    2.000004] Call Trace:
[    2.000005]  kasan_report+0xd7/0x190
[    2.000006]  a_first+0x5a/0x60 [a]
[    2.000007]  vfs_write+0x22b/0xcb0
[    2.000008] Allocated by task 47:
[    2.000009]  kasan_save_stack+0x2f/0x50
[    2.000010]  a_new+0x32/0x100 [a]
[    2.000011] Freed by task 47:
[    2.000012]  kfree+0x9a/0x130
[    2.000013]  a_close+0x2a/0x60 [a]
[    2.000014] The buggy address belongs to the object at ffff888002d89000
[    2.000015]  which belongs to the cache kmalloc-192 of size 192
[    2.000016] The buggy address is located 8 bytes inside of
[    2.000017]  freed 192-byte region [ffff888002d89000, ffff888002d890c0)
[    2.000018] ==================================================================
[    3.000001] INFO: task b:312 blocked for more than 122 seconds.
[    3.000002]       Tainted: G           OE       6.1.0-13-amd64 #1
[    3.000003] task:b               state:D stack:0     pid:312   ppid:1      flags:0x00080000
[    3.000004] Call Trace:
[    3.000005]  __schedule+0x4c5/0x1070
[    3.000006]  __mutex_lock.constprop.0+0x31c/0x660
[    3.000007]  a_read+0x2a/0x90 [a]
[    3.000008]  vfs_read+0xbc/0x3a0
[    3.000009] Showing all locks held in the system:
[    3.000010] 1 lock held by b/312:
[    3.000011]  #0: ffff888002d89008 (a_lock){+.+.}-{3:3}, at: a_read+0x2a/0x90 [a]
[    4.000001] WARNING: CPU: 1 PID: 7 at lib/refcount.c:28 refcount_warn_saturate+0xba/0x110
[    4.000002] CPU: 1 PID: 7 Comm: kworker/1:1 Not tainted 6.12.0 #1
[    4.000003] Workqueue: events a_work [a]
[    4.000004] RIP: 0010:refcount_warn_saturate+0xba/0x110
[    4.000005] Call Trace:
[    4.000006]  a_put+0x1d/0x40 [a]
[    4.000007]  process_one_work+0x1c7/0x380
`;
