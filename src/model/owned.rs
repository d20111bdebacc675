//! `into_owned`: reports that outlive their log.
//!
//! Every struct is destructured by field name, so the compiler rejects a field that is left out.

use std::borrow::Cow;

use super::{
    AtomicContext, Blame, Frame, Holder, Kernel, Lock, Memory, Module, Object, Report,
    SourceLocation, Stack, Suspect, Task, Variable,
};

fn text(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

impl Report<'_> {
    /// Clones the text that the report borrows from the log, so that it can outlive the log.
    pub fn into_owned(self) -> Report<'static> {
        let Self {
            span,
            kind,
            title,
            headline,
            message,
            location,
            time,
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
    let AtomicContext { in_atomic, irqs_disabled, preempt_count, disabled_in } = atomic;
    AtomicContext { in_atomic, irqs_disabled, preempt_count, disabled_in: disabled_in.map(text) }
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
    let Memory { object, variable, allocated_by, freed_by, shadow } = memory;
    let object = object.map(|Object { cache, size, start, end, side, distance }| Object {
        cache: cache.map(text),
        size,
        start,
        end,
        side,
        distance,
    });
    let variable = variable.map(|Variable { name, offset }| Variable { name: text(name), offset });
    Memory { object, variable, allocated_by, freed_by, shadow }
}

fn lock(lock: Lock<'_>) -> Lock<'static> {
    let Lock { class, address, usage, state, comm, holder, function, offset } = lock;
    Lock {
        class: text(class),
        address,
        usage: usage.map(text),
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
