//! `into_owned`: reports that outlive their log.
//!
//! Every struct is destructured by field name, so the compiler rejects a field that is left out.

use std::borrow::Cow;

use super::{
    Allocation, AtomicContext, Blame, Frame, Holder, Kernel, Killed, LocalVariable, Lock,
    MachineCheck, Memory, Module, Object, Page, Report, SourceLocation, SpinLock, Stack,
    StackFrame, Suspect, Task, Uninitialized, Variable, Zone,
};

fn text(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

impl Report<'_> {
    /// Clones the text that the report borrows from the log, so that it can outlive the log.
    #[expect(clippy::too_many_lines, reason = "a line for each field")]
    pub fn into_owned(self) -> Report<'static> {
        let Self {
            span,
            kind,
            title,
            headline,
            message,
            location,
            time,
            wall_time,
            alt_titles,
            frame,
            corrupted,
            complete,
            incomplete,
            class,
            suppressed,
            panicked,
            consequences,
            executor,
            guilty_file,
            blame,
            suspects,
            kernel,
            task,
            seconds,
            access,
            registers,
            code,
            explanation,
            link,
            stacks,
            memory,
            locks,
            holder,
            cycle,
            race,
            leak,
            atomic,
            stall,
            overwrite,
            page,
            allocation,
            uninitialized,
            list,
            spinlock,
            page_table,
            machine_check,
            diagnosis,
            modules,
            diagnostics,
            image_check,
        } = self;
        let Kernel { release, arch, tainted, hardware, build_id, offset } = kernel;
        let Task { comm, pid, cpu, workqueue } = task;
        Report {
            span,
            kind,
            title,
            headline: text(headline),
            message: message.map(text),
            location: location
                .map(|SourceLocation { file, line }| SourceLocation { file: text(file), line }),
            time,
            wall_time: wall_time.map(text),
            alt_titles,
            frame,
            corrupted,
            complete,
            incomplete,
            class,
            suppressed,
            panicked,
            consequences,
            executor,
            guilty_file,
            blame: blame.map(self::blame),
            suspects: suspects.into_iter().map(Suspect::into_owned).collect(),
            kernel: Kernel {
                release: release.map(text),
                arch,
                tainted: tainted.map(text),
                hardware: hardware.map(text),
                build_id: build_id.map(text),
                offset,
            },
            task: Task { comm: comm.map(text), pid, cpu, workqueue: workqueue.map(text) },
            seconds,
            access,
            registers,
            code,
            explanation,
            link: link.map(self::frame),
            stacks: stacks.into_iter().map(stack).collect(),
            memory: memory.map(self::memory),
            locks: locks.into_iter().map(lock).collect(),
            holder: holder.map(self::holder),
            cycle: cycle.into_iter().map(text).collect(),
            race,
            leak,
            atomic: atomic.map(self::atomic),
            stall,
            overwrite,
            page: page.map(self::page),
            allocation: allocation.map(self::allocation),
            uninitialized: uninitialized.map(self::uninitialized),
            list,
            spinlock: spinlock.map(self::spinlock),
            page_table,
            machine_check: machine_check.map(self::machine_check),
            diagnosis,
            modules: modules.into_iter().map(module).collect(),
            diagnostics,
            image_check,
        }
    }
}

fn blame(blame: Blame<'_>) -> Blame<'static> {
    let Blame { function, file, line, why } = blame;
    Blame { function: text(function), file: file.map(text), line, why }
}

fn atomic(atomic: AtomicContext<'_>) -> AtomicContext<'static> {
    let AtomicContext { in_atomic, irqs_disabled, preempt_count, rcu_depth, disabled_in } = atomic;
    AtomicContext {
        in_atomic,
        irqs_disabled,
        preempt_count,
        rcu_depth,
        disabled_in: disabled_in.map(text),
    }
}

fn holder(holder: Holder<'_>) -> Holder<'static> {
    let Holder { comm, pid, lock } = holder;
    Holder { comm: text(comm), pid, lock: text(lock) }
}

fn stack(stack: Stack<'_>) -> Stack<'static> {
    let Stack { role, frames, offset } = stack;
    Stack { role, frames: frames.into_iter().map(frame).collect(), offset }
}

fn frame(frame: Frame<'_>) -> Frame<'static> {
    let Frame {
        function,
        symbol,
        offset,
        size,
        module,
        build_id,
        address,
        exact,
        reliable,
        inline,
        file,
        line,
        column,
        context,
    } = frame;
    Frame {
        function: function.map(text),
        symbol: symbol.map(text),
        offset,
        size,
        module: module.map(text),
        build_id: build_id.map(text),
        address,
        exact,
        reliable,
        inline,
        file: file.map(text),
        line,
        column,
        context,
    }
}

fn memory(memory: Memory<'_>) -> Memory<'static> {
    let Memory { object, variable, stack_frame, allocated_by, freed_by, shadow } = memory;
    let object = object.map(|Object { cache, size, start, end, side, distance }| Object {
        cache: cache.map(text),
        size,
        start,
        end,
        side,
        distance,
    });
    let variable = variable.map(|Variable { name, offset }| Variable { name: text(name), offset });
    let stack_frame = stack_frame.map(self::stack_frame);
    Memory { object, variable, stack_frame, allocated_by, freed_by, shadow }
}

fn stack_frame(frame: StackFrame<'_>) -> StackFrame<'static> {
    let StackFrame { function, offset, variables } = frame;
    let variables = variables.into_iter();
    let variables = variables.map(|LocalVariable { name, start, end }| LocalVariable {
        name: text(name),
        start,
        end,
    });
    StackFrame { function: function.map(text), offset, variables: variables.collect() }
}

fn page(page: Page<'_>) -> Page<'static> {
    let Page { pfn, refcount, mapcount, mapping, flags, reason } = page;
    let (flags, reason) = (flags.map(text), reason.map(text));
    Page { pfn, refcount, mapcount, mapping, flags, reason }
}

fn allocation(allocation: Allocation<'_>) -> Allocation<'static> {
    let Allocation { order, mask, flags, zones, killed } = allocation;
    let zones = zones.into_iter().map(|Zone { node, name, free, min }| Zone {
        node,
        name: text(name),
        free,
        min,
    });
    let killed = killed.map(|Killed { comm, pid, total_vm, anon_rss, file_rss, shmem_rss }| {
        Killed { comm: text(comm), pid, total_vm, anon_rss, file_rss, shmem_rss }
    });
    Allocation { order, mask, flags: flags.map(text), zones: zones.collect(), killed }
}

fn uninitialized(found: Uninitialized<'_>) -> Uninitialized<'static> {
    let Uninitialized { first, last, size, address, user_address, variable } = found;
    let variable = variable.map(text);
    Uninitialized { first, last, size, address, user_address, variable }
}

fn spinlock(lock: SpinLock<'_>) -> SpinLock<'static> {
    let SpinLock { name, magic, owner, owner_pid, owner_cpu } = lock;
    SpinLock { name: text(name), magic, owner: owner.map(text), owner_pid, owner_cpu }
}

fn machine_check(check: MachineCheck<'_>) -> MachineCheck<'static> {
    let MachineCheck { cpu, bank, status, address, reason } = check;
    MachineCheck { cpu, bank, status, address, reason: reason.map(text) }
}

fn lock(lock: Lock<'_>) -> Lock<'static> {
    let Lock { class, subclass, address, usage, wait, state, comm, holder, function, offset } =
        lock;
    Lock {
        class: text(class),
        subclass,
        address,
        usage: usage.map(text),
        wait: wait.map(text),
        state,
        comm: comm.map(text),
        holder,
        function: function.map(text),
        offset,
    }
}

fn module(module: Module<'_>) -> Module<'static> {
    let Module { name, flags } = module;
    Module { name: text(name), flags: flags.map(text) }
}
