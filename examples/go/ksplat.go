// Package ksplat reads crash reports of Linux kernels out of console logs, and groups those of one
// bug. It wraps the C interface of the library ksplat, whose header, ksplat.h, has the details of
// each function.
//
// The linker needs the library, libksplat_c.a, which `cargo build --release -p ksplat-capi` makes:
//
//	export CGO_LDFLAGS=$PWD/target/release/libksplat_c.a
//	cd examples/go && go run ./cmd/triage ../../tests/duplicates/*.log
//
// Functions and methods may be called from several goroutines. A Monitor and an Index own memory of
// the library, which Close or a finalizer frees.
package ksplat

// #cgo CFLAGS: -I${SRCDIR}/../../crates/capi
// #cgo linux LDFLAGS: -lpthread -ldl -lm
// #include "ksplat.h"
import "C"

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"
	"unsafe"
)

// Code is the reason of an error, for errors.Is.
type Code int

// The codes of errors.
const (
	// ErrUTF8: JSON is not valid UTF-8.
	ErrUTF8 Code = C.KSPLAT_ERROR_UTF8
	// ErrJSON: a text is not JSON, or neither a report nor a signature.
	ErrJSON Code = C.KSPLAT_ERROR_JSON
	// ErrVersion: a signature was made by another version of the library.
	ErrVersion Code = C.KSPLAT_ERROR_VERSION
	// ErrNumber: the index has no report with this number.
	ErrNumber Code = C.KSPLAT_ERROR_NUMBER
	// ErrOption: an option cannot have this value.
	ErrOption Code = C.KSPLAT_ERROR_OPTION
	// ErrInternal: the library has a defect; the object is unusable.
	ErrInternal Code = C.KSPLAT_ERROR_INTERNAL
)

// ErrClosed is the error of methods after Close.
var ErrClosed = errors.New("ksplat: closed")

func (code Code) Error() string {
	return C.GoString(C.ksplat_error_text(C.int32_t(code)))
}

// Error is an error of the library. It unwraps to its Code.
type Error struct {
	Code    Code
	Details string
}

func (e *Error) Error() string { return "ksplat: " + e.Details }

// Unwrap returns the code.
func (e *Error) Unwrap() error { return e.Code }

// Options of parsing. The zero value has the defaults.
type Options struct {
	// Whether to return information reports too: out-of-memory kills, failed page allocations,
	// damaged file systems.
	Information bool
	// Whether to parse lines of programs other than the kernel.
	AnyProgram bool
	// The maximum number of lines and frames of a report, and of open reports; 0 is the default.
	MaxLines, MaxFrames, MaxOpen uint
	// The silence after which Monitor.Tick completes the open reports, 10 seconds by default, and
	// after which it returns a report that may continue, 1 second by default. Rounded up to
	// milliseconds.
	Quiet, Pause time.Duration
}

// Report is a report of a crash.
type Report struct {
	// The title, such as "KASAN: use-after-free Read in f".
	Title string
	// The kind of failure, such as "kasan-use-after-free".
	Kind string
	// The index of the report in its log, from 0.
	Index int
	// The line of the log at which it starts, from 1.
	Line int
	// Why the title is not reliable; empty if it is.
	Corrupted string
	// The report for people.
	Text string
	// The facts that are equal in other runs, for Index.Add and SameBug.
	Signature json.RawMessage
	// The whole report: see docs/src/json.md.
	JSON json.RawMessage
}

// EventKind is what happened to a report in a growing log.
type EventKind string

// The kinds of events.
const (
	// Started: the first line of a report came. Report has Title, Kind and Line only.
	Started EventKind = "started"
	// Finished: a report is complete, or makes a pause.
	Finished EventKind = "finished"
	// Revised: a report continued after its pause. It replaces that with the same Index.
	Revised EventKind = "revised"
)

// Event is an event of a Monitor.
type Event struct {
	Kind   EventKind
	Report Report
}

// Match is a known report that is similar to another one.
type Match struct {
	// The number of the known report in the index, and its title.
	Report uint32
	Title  string
	// The probability that both are of one bug, from 0 to 1.
	Score float64
	// The common features in words.
	Evidence string
}

// Cluster is the reports of one bug.
type Cluster struct {
	ID    string
	Title string
	Count int
	// A typical report, and all of them, by their numbers in the index.
	Exemplar uint32
	Reports  []uint32
	// The other fields: see ksplat_index_clusters in ksplat.h.
	JSON json.RawMessage `json:"-"`
}

// call runs a function of the library, and returns its error.
func call(run func() C.ksplat_error) error {
	// The details of the last error belong to the thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if code := run(); code != C.KSPLAT_ERROR_NONE {
		return &Error{Code: Code(code), Details: C.GoString(C.ksplat_last_error())}
	}
	return nil
}

// answer runs a function of the library that gives JSON, and decodes it.
func answer(into any, run func(out **C.char) C.ksplat_error) error {
	var out *C.char
	if err := call(func() C.ksplat_error { return run(&out) }); err != nil {
		return err
	}
	defer C.ksplat_free(out)
	return json.Unmarshal([]byte(C.GoString(out)), into)
}

// pointer returns the address of some bytes, and their number.
func pointer(bytes []byte) (unsafe.Pointer, C.size_t) {
	if len(bytes) == 0 {
		// Not NULL, which is another error than an empty text.
		return unsafe.Pointer(&empty), 0
	}
	return unsafe.Pointer(&bytes[0]), C.size_t(len(bytes))
}

var empty byte

// parser makes the options of the library; nil for the default ones. The caller frees them.
func (o *Options) parser() (*C.ksplat_parser, error) {
	if o == nil || *o == (Options{}) {
		return nil, nil
	}
	if o.Quiet < 0 || o.Pause < 0 {
		return nil, &Error{Code: ErrOption, Details: "a time is negative"}
	}
	var parser *C.ksplat_parser
	if err := call(func() C.ksplat_error { return C.ksplat_parser_new(&parser) }); err != nil {
		return nil, err
	}
	flags := map[bool]uint64{true: 1}
	for _, set := range []struct {
		option C.ksplat_option
		value  uint64
	}{
		{C.KSPLAT_OPTION_LINES, uint64(o.MaxLines)},
		{C.KSPLAT_OPTION_FRAMES, uint64(o.MaxFrames)},
		{C.KSPLAT_OPTION_OPEN, uint64(o.MaxOpen)},
		{C.KSPLAT_OPTION_INFORMATION, flags[o.Information]},
		{C.KSPLAT_OPTION_ANY_PROGRAM, flags[o.AnyProgram]},
		{C.KSPLAT_OPTION_QUIET_MS, milliseconds(o.Quiet)},
		{C.KSPLAT_OPTION_PAUSE_MS, milliseconds(o.Pause)},
	} {
		if set.value == 0 {
			continue
		}
		err := call(func() C.ksplat_error {
			return C.ksplat_parser_set(parser, C.int32_t(set.option), C.uint64_t(set.value))
		})
		if err != nil {
			C.ksplat_parser_free(parser)
			return nil, err
		}
	}
	return parser, nil
}

func milliseconds(d time.Duration) uint64 {
	return uint64((d + time.Millisecond - 1) / time.Millisecond)
}

// item is a report or an event as the library writes it.
type item struct {
	Event     EventKind
	Title     string
	Kind      string
	Line      int
	Report    json.RawMessage
	Signature json.RawMessage
	Text      string
}

func (i *item) event() (Event, error) {
	if i.Event == Started {
		return Event{Started, Report{Title: i.Title, Kind: i.Kind, Line: i.Line}}, nil
	}
	var fields struct {
		Title, Kind, Corrupted string
		Index                  int
		Span                   struct{ Line int }
	}
	if err := json.Unmarshal(i.Report, &fields); err != nil {
		return Event{}, fmt.Errorf("ksplat: %w", err)
	}
	return Event{i.Event, Report{
		Title:     fields.Title,
		Kind:      fields.Kind,
		Index:     fields.Index,
		Line:      fields.Span.Line,
		Corrupted: fields.Corrupted,
		Text:      i.Text,
		Signature: i.Signature,
		JSON:      i.Report,
	}}, nil
}

// Parse returns the reports of a log, in the order in which they start. A log may have any bytes.
// Nil options are the default ones.
func Parse(log []byte, options *Options) ([]Report, error) {
	parser, err := options.parser()
	if err != nil {
		return nil, err
	}
	defer C.ksplat_parser_free(parser)
	var items []item
	err = answer(&items, func(out **C.char) C.ksplat_error {
		start, size := pointer(log)
		return C.ksplat_parse_with(parser, (*C.uint8_t)(start), size, out)
	})
	if err != nil {
		return nil, err
	}
	reports := make([]Report, 0, len(items))
	for n := range items {
		event, err := items[n].event()
		if err != nil {
			return nil, err
		}
		reports = append(reports, event.Report)
	}
	return reports, nil
}

// Monitor finds the reports of a log that is still being written.
type Monitor struct {
	mutex   sync.Mutex
	pointer *C.ksplat_monitor
}

// NewMonitor makes a monitor at the start of a log. Nil options are the default ones.
func NewMonitor(options *Options) (*Monitor, error) {
	parser, err := options.parser()
	if err != nil {
		return nil, err
	}
	defer C.ksplat_parser_free(parser)
	monitor := new(Monitor)
	var made *C.ksplat_monitor
	if err := call(func() C.ksplat_error { return C.ksplat_monitor_new(parser, &made) }); err != nil {
		return nil, err
	}
	monitor.pointer = made
	runtime.SetFinalizer(monitor, (*Monitor).Close)
	return monitor, nil
}

// Push parses the next bytes of the log, and returns the events that they caused.
func (m *Monitor) Push(chunk []byte) ([]Event, error) {
	return m.events(func(out **C.char) C.ksplat_error {
		start, size := pointer(chunk)
		return C.ksplat_monitor_push(m.pointer, (*C.uint8_t)(start), size, out)
	})
}

// Tick tells the time since any moment, the same for all calls, and returns the events that it
// caused. Call it about every second, also while the log is silent.
func (m *Monitor) Tick(now time.Duration) ([]Event, error) {
	if now < 0 {
		return nil, &Error{Code: ErrOption, Details: "a time is negative"}
	}
	return m.events(func(out **C.char) C.ksplat_error {
		return C.ksplat_monitor_tick(m.pointer, C.uint64_t(now.Milliseconds()), out)
	})
}

// Finish ends the log, and returns the events of the open reports. The next bytes begin another log.
func (m *Monitor) Finish() ([]Event, error) {
	return m.events(func(out **C.char) C.ksplat_error {
		return C.ksplat_monitor_finish(m.pointer, out)
	})
}

// Close frees the monitor. It never fails, and may be called again.
func (m *Monitor) Close() error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	C.ksplat_monitor_free(m.pointer)
	m.pointer = nil
	runtime.SetFinalizer(m, nil)
	return nil
}

func (m *Monitor) events(run func(out **C.char) C.ksplat_error) ([]Event, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.pointer == nil {
		return nil, ErrClosed
	}
	var items []item
	if err := answer(&items, run); err != nil {
		return nil, err
	}
	events := make([]Event, 0, len(items))
	for n := range items {
		event, err := items[n].event()
		if err != nil {
			return nil, err
		}
		events = append(events, event)
	}
	return events, nil
}

// Index groups the reports of one bug. Where a method takes JSON, it is a signature or a report:
// Report.Signature, which is the shorter one, or Report.JSON.
type Index struct {
	mutex   sync.RWMutex
	pointer *C.ksplat_index
}

// NewIndex makes an empty index.
func NewIndex() (*Index, error) {
	index := new(Index)
	var made *C.ksplat_index
	if err := call(func() C.ksplat_error { return C.ksplat_index_new(&made) }); err != nil {
		return nil, err
	}
	index.pointer = made
	runtime.SetFinalizer(index, (*Index).Close)
	return index, nil
}

// Close frees the index. It never fails, and may be called again.
func (i *Index) Close() error {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	C.ksplat_index_free(i.pointer)
	i.pointer = nil
	runtime.SetFinalizer(i, nil)
	return nil
}

// use runs a function while the index is open. The library has a lock for its contents.
func (i *Index) use(run func(index *C.ksplat_index) error) error {
	i.mutex.RLock()
	defer i.mutex.RUnlock()
	if i.pointer == nil {
		return ErrClosed
	}
	return run(i.pointer)
}

// Add adds a report, and returns its number, from 0.
func (i *Index) Add(report json.RawMessage) (uint32, error) {
	var number C.uint32_t
	var count C.size_t
	err := i.use(func(index *C.ksplat_index) error {
		return call(func() C.ksplat_error {
			start, size := pointer(report)
			return C.ksplat_index_add(index, (*C.char)(start), size, &number, &count)
		})
	})
	if err == nil && count != 1 {
		err = &Error{Code: ErrJSON, Details: fmt.Sprintf("%d reports in place of one", count)}
	}
	return uint32(number), err
}

// Match returns at most top known reports, the most similar first.
func (i *Index) Match(report json.RawMessage, top uint) ([]Match, error) {
	var matches []Match
	err := i.use(func(index *C.ksplat_index) error {
		return answer(&matches, func(out **C.char) C.ksplat_error {
			start, size := pointer(report)
			return C.ksplat_index_match(index, (*C.char)(start), size, C.size_t(top), out)
		})
	})
	return matches, err
}

// Same returns a known report of the same bug, and whether there is one.
func (i *Index) Same(report json.RawMessage) (uint32, bool, error) {
	var number C.int64_t = -1
	err := i.use(func(index *C.ksplat_index) error {
		return call(func() C.ksplat_error {
			start, size := pointer(report)
			return C.ksplat_index_same(index, (*C.char)(start), size, &number)
		})
	})
	if number < 0 {
		return 0, false, err
	}
	return uint32(number), true, err
}

// Signature returns the signature of a report, to store it.
func (i *Index) Signature(number uint32) (json.RawMessage, error) {
	var signature json.RawMessage
	err := i.use(func(index *C.ksplat_index) error {
		return answer(&signature, func(out **C.char) C.ksplat_error {
			return C.ksplat_index_signature(index, C.uint32_t(number), out)
		})
	})
	return signature, err
}

// MustLink decides that two reports are of one bug.
func (i *Index) MustLink(a, b uint32) error {
	return i.use(func(index *C.ksplat_index) error {
		return call(func() C.ksplat_error {
			return C.ksplat_index_must_link(index, C.uint32_t(a), C.uint32_t(b))
		})
	})
}

// CannotLink decides that two reports are of different bugs.
func (i *Index) CannotLink(a, b uint32) error {
	return i.use(func(index *C.ksplat_index) error {
		return call(func() C.ksplat_error {
			return C.ksplat_index_cannot_link(index, C.uint32_t(a), C.uint32_t(b))
		})
	})
}

// Clusters groups the reports by bug, the largest groups first.
func (i *Index) Clusters() ([]Cluster, error) {
	var all []json.RawMessage
	err := i.use(func(index *C.ksplat_index) error {
		return answer(&all, func(out **C.char) C.ksplat_error {
			return C.ksplat_index_clusters(index, out)
		})
	})
	clusters := make([]Cluster, len(all))
	for n, one := range all {
		clusters[n].JSON = one
		if err := json.Unmarshal(one, &clusters[n]); err != nil {
			return nil, fmt.Errorf("ksplat: %w", err)
		}
	}
	return clusters, err
}

// SameBug returns whether two reports are of one bug.
func SameBug(a, b json.RawMessage) (bool, error) {
	var same C.int
	err := call(func() C.ksplat_error {
		startA, sizeA := pointer(a)
		startB, sizeB := pointer(b)
		return C.ksplat_same_bug((*C.char)(startA), sizeA, (*C.char)(startB), sizeB, &same)
	})
	return same != 0, err
}
