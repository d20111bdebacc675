//! Classes of files: the service of a directory to the rest of the kernel.
//!
//! [`DIRECTORIES`] lists the directories and files of generic code. The longest pattern that is a prefix
//! of the path decides; `*` matches one directory.

use crate::string_enum::string_enum;

string_enum! {
    /// The service of a source file to the rest of the kernel.
    pub enum FileClass {
        /// Code of subsystems and drivers.
        Ordinary = "ordinary",
        /// Allocates and frees memory.
        Allocator = "allocator",
        /// Block layer.
        Block = "block",
        /// Ciphers and their users' interface.
        Crypto = "crypto",
        /// Devices, drivers and buses in general.
        DriverCore = "driver-core",
        /// Enters the kernel, handles traps.
        Entry = "entry",
        /// Headers, whose functions are inlined.
        Header = "header",
        /// Boots the kernel.
        Init = "init",
        /// Interrupts and soft interrupts.
        Interrupt = "interrupt",
        /// Strings, lists, trees, checksums, copying.
        Library = "library",
        /// Locks and lockdep.
        Locking = "locking",
        /// Memory management.
        Memory = "memory",
        /// Sockets, packets and network devices in general.
        NetworkCore = "network-core",
        /// Power management and clocks.
        Power = "power",
        /// Processes, signals and system calls.
        Process = "process",
        /// sysfs, procfs, debugfs and kernfs.
        PseudoFiles = "pseudo-files",
        /// Read-copy-update.
        Rcu = "rcu",
        /// Prints and reports.
        Reporting = "reporting",
        /// Sanitizers.
        Sanitizer = "sanitizer",
        /// The scheduler.
        Scheduler = "scheduler",
        /// Security modules and keys.
        Security = "security",
        /// Timers and clocks.
        Time = "time",
        /// Tracing, probes and BPF.
        Tracing = "tracing",
        /// The virtual file system.
        Vfs = "vfs",
        /// Kernel threads and work queues.
        Worker = "worker",
    }
}

impl FileClass {
    /// The class of a number in an atlas; [`Ordinary`](Self::Ordinary) for an unknown one.
    pub(super) fn of_number(number: u8) -> Self {
        Self::ALL.get(usize::from(number)).copied().unwrap_or(Self::Ordinary)
    }

    /// The class of the file at a path.
    pub fn of(path: &str) -> Self {
        let fitting = DIRECTORIES.iter().filter(|(pattern, _)| fits(pattern, path));
        fitting.max_by_key(|(pattern, _)| pattern.len()).map_or(Self::Ordinary, |(_, class)| *class)
    }
}

/// Returns whether a pattern is a prefix of a path.
fn fits(pattern: &str, path: &str) -> bool {
    let Some((before, behind)) = pattern.split_once('*') else { return path.starts_with(pattern) };
    let rest =
        path.strip_prefix(before).and_then(|rest| rest.find('/').and_then(|at| rest.get(at..)));
    rest.is_some_and(|rest| rest.starts_with(behind))
}

use FileClass::{
    Allocator, Block, Crypto, DriverCore, Entry, Header, Init, Interrupt, Library, Locking, Memory,
    NetworkCore, Power, Process, PseudoFiles, Rcu, Reporting, Sanitizer, Scheduler, Security, Time,
    Tracing, Vfs, Worker,
};

/// Directories and files of generic code.
const DIRECTORIES: &[(&str, FileClass)] = &[
    ("arch/*/boot/", Init),
    ("arch/*/crypto/", Crypto),
    ("arch/*/entry/", Entry),
    ("arch/*/include/", Header),
    ("arch/*/kernel/", Process),
    ("arch/*/kernel/apic/", Interrupt),
    ("arch/*/kernel/dumpstack", Reporting),
    ("arch/*/kernel/entry", Entry),
    ("arch/*/kernel/ftrace", Tracing),
    ("arch/*/kernel/head", Init),
    ("arch/*/kernel/irq", Interrupt),
    ("arch/*/kernel/kprobes", Tracing),
    ("arch/*/kernel/nmi", Interrupt),
    ("arch/*/kernel/setup", Init),
    ("arch/*/kernel/smp", Interrupt),
    ("arch/*/kernel/stacktrace", Reporting),
    ("arch/*/kernel/syscall", Entry),
    ("arch/*/kernel/time", Time),
    ("arch/*/kernel/traps", Entry),
    ("arch/*/kernel/unwind", Reporting),
    ("arch/*/lib/", Library),
    ("arch/*/mm/", Memory),
    ("arch/*/mm/fault", Entry),
    ("arch/*/mm/kasan", Sanitizer),
    ("arch/*/net/", Tracing),
    ("block/", Block),
    ("crypto/", Crypto),
    ("drivers/base/", DriverCore),
    ("drivers/base/power/", Power),
    ("drivers/char/mem.c", Vfs),
    ("drivers/char/misc.c", DriverCore),
    ("drivers/clk/clk.c", Power),
    ("drivers/irqchip/", Interrupt),
    ("drivers/of/", DriverCore),
    ("drivers/pci/pci-driver.c", DriverCore),
    ("fs/aio.c", Vfs),
    ("fs/bad_inode.c", Vfs),
    ("fs/buffer.c", Vfs),
    ("fs/dcache.c", Vfs),
    ("fs/debugfs/", PseudoFiles),
    ("fs/direct-io.c", Vfs),
    ("fs/eventfd.c", Vfs),
    ("fs/eventpoll.c", Vfs),
    ("fs/exec.c", Vfs),
    ("fs/file.c", Vfs),
    ("fs/file_table.c", Vfs),
    ("fs/fs-writeback.c", Vfs),
    ("fs/fs_context.c", Vfs),
    ("fs/inode.c", Vfs),
    ("fs/internal.h", Vfs),
    ("fs/ioctl.c", Vfs),
    ("fs/iomap/", Vfs),
    ("fs/kernfs/", PseudoFiles),
    ("fs/libfs.c", Vfs),
    ("fs/mpage.c", Vfs),
    ("fs/namei.c", Vfs),
    ("fs/namespace.c", Vfs),
    ("fs/open.c", Vfs),
    ("fs/pipe.c", Vfs),
    ("fs/proc/", PseudoFiles),
    ("fs/read_write.c", Vfs),
    ("fs/readdir.c", Vfs),
    ("fs/select.c", Vfs),
    ("fs/seq_file.c", Vfs),
    ("fs/splice.c", Vfs),
    ("fs/stat.c", Vfs),
    ("fs/super.c", Vfs),
    ("fs/sync.c", Vfs),
    ("fs/sysfs/", PseudoFiles),
    ("fs/xattr.c", Vfs),
    ("include/", Header),
    ("init/", Init),
    ("io_uring/", Vfs),
    ("ipc/", Process),
    ("kernel/", Process),
    ("kernel/bpf/", Tracing),
    ("kernel/dma/", Memory),
    ("kernel/entry/", Entry),
    ("kernel/events/", Tracing),
    ("kernel/futex/", Locking),
    ("kernel/hung_task.c", Reporting),
    ("kernel/irq/", Interrupt),
    ("kernel/irq_work.c", Interrupt),
    ("kernel/kcov.c", Sanitizer),
    ("kernel/kcsan/", Sanitizer),
    ("kernel/kthread.c", Worker),
    ("kernel/locking/", Locking),
    ("kernel/module/", Init),
    ("kernel/notifier.c", Library),
    ("kernel/panic.c", Reporting),
    ("kernel/power/", Power),
    ("kernel/printk/", Reporting),
    ("kernel/rcu/", Rcu),
    ("kernel/sched/", Scheduler),
    ("kernel/smp.c", Interrupt),
    ("kernel/smpboot.c", Worker),
    ("kernel/softirq.c", Interrupt),
    ("kernel/stacktrace.c", Reporting),
    ("kernel/stop_machine.c", Worker),
    ("kernel/task_work.c", Worker),
    ("kernel/time/", Time),
    ("kernel/trace/", Tracing),
    ("kernel/watchdog", Reporting),
    ("kernel/workqueue.c", Worker),
    ("lib/", Library),
    ("lib/bug.c", Reporting),
    ("lib/debugobjects.c", Sanitizer),
    ("lib/dump_stack.c", Reporting),
    ("lib/fault-inject.c", Sanitizer),
    ("lib/iov_iter.c", Library),
    ("lib/kobject", DriverCore),
    ("lib/nmi_backtrace.c", Reporting),
    ("lib/stackdepot.c", Sanitizer),
    ("lib/ubsan.c", Sanitizer),
    ("mm/", Memory),
    ("mm/dmapool.c", Allocator),
    ("mm/failslab.c", Allocator),
    ("mm/kasan/", Sanitizer),
    ("mm/kfence/", Sanitizer),
    ("mm/kmemleak.c", Sanitizer),
    ("mm/kmsan/", Sanitizer),
    ("mm/mempool.c", Allocator),
    ("mm/page_alloc.c", Allocator),
    ("mm/percpu", Allocator),
    ("mm/slab", Allocator),
    ("mm/slub.c", Allocator),
    ("mm/util.c", Allocator),
    ("mm/vmalloc.c", Allocator),
    ("net/core/", NetworkCore),
    ("net/netlink/", NetworkCore),
    ("net/socket.c", NetworkCore),
    ("rust/", Library),
    ("security/", Security),
    ("virt/lib/", Library),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_of() {
        for (path, want) in [
            ("arch/x86/lib/memcpy_64.S", Library),
            ("arch/arm64/kernel/entry-common.c", Entry),
            ("mm/slub.c", Allocator),
            ("mm/memory.c", Memory),
            ("mm/kasan/report.c", Sanitizer),
            ("fs/namei.c", Vfs),
            ("fs/ext4/namei.c", FileClass::Ordinary),
            ("drivers/gpu/drm/drm_drv.c", FileClass::Ordinary),
            ("", FileClass::Ordinary),
        ] {
            assert_eq!(FileClass::of(path), want, "{path}");
        }
    }

    #[test]
    fn patterns_are_sorted() {
        assert!(DIRECTORIES.is_sorted());
    }
}
