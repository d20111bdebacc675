package ksplat

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

const top = "../../"

const bug = "kernel BUG at fs/a.c:1!\nRIP: 0010:f+0x1/0x2\nCall Trace:\n g+0x1/0x2\n"

func read(t *testing.T, path string) []byte {
	t.Helper()
	log, err := os.ReadFile(top + path)
	if err != nil {
		t.Fatal(err)
	}
	return log
}

func parse(t *testing.T, log []byte, options *Options) []Report {
	t.Helper()
	reports, err := Parse(log, options)
	if err != nil {
		t.Fatal(err)
	}
	return reports
}

func newIndex(t *testing.T) *Index {
	t.Helper()
	index, err := NewIndex()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { index.Close() })
	return index
}

func newMonitor(t *testing.T, options *Options) *Monitor {
	t.Helper()
	monitor, err := NewMonitor(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { monitor.Close() })
	return monitor
}

func is(t *testing.T, err error, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("%v is not %v", err, target)
	}
}

func TestParse(t *testing.T) {
	reports := parse(t, read(t, "corpus/divide-error/divide.log"), nil)
	if len(reports) != 1 {
		t.Fatalf("%d reports", len(reports))
	}
	report := reports[0]
	if report.Title != "divide error in cm_rate_div" || report.Kind != "divide-error" ||
		report.Line == 0 || report.Corrupted != "" {
		t.Errorf("%+v", report)
	}
	if !strings.HasPrefix(report.Text, "divide error in cm_rate_div\n") {
		t.Error(report.Text)
	}
	var explained struct{ Explanation struct{ Summary string } }
	if json.Unmarshal(report.JSON, &explained) != nil || explained.Explanation.Summary == "" {
		t.Errorf("no explanation: %s", report.JSON)
	}
}

// A monitor finds the reports of a log that Parse finds, in pieces of any size.
func TestMonitorEqualsParse(t *testing.T) {
	logs, err := filepath.Glob(top + "corpus/kasan/*.log")
	if err != nil || len(logs) < 5 {
		t.Fatal(logs, err)
	}
	for _, path := range logs {
		log, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var parsed, watched []string
		for _, report := range parse(t, log, nil) {
			parsed = append(parsed, report.Title)
		}
		monitor := newMonitor(t, nil)
		for rest := log; len(rest) > 0; {
			size := len(rest)
			if size > 100 {
				size = 100
			}
			events, err := monitor.Push(rest[:size])
			if err != nil {
				t.Fatal(err)
			}
			rest = rest[size:]
			watched = append(watched, finished(events)...)
		}
		events, err := monitor.Finish()
		if err != nil {
			t.Fatal(err)
		}
		if watched = append(watched, finished(events)...); !reflect.DeepEqual(parsed, watched) {
			t.Errorf("%s: %q and %q", path, parsed, watched)
		}
	}
}

func finished(events []Event) (titles []string) {
	for _, event := range events {
		if event.Kind == Finished {
			titles = append(titles, event.Report.Title)
		}
	}
	return titles
}

func TestMonitorTicks(t *testing.T) {
	monitor := newMonitor(t, &Options{Pause: 100 * time.Millisecond, MaxFrames: 64})
	events, err := monitor.Push([]byte(bug))
	if err != nil || len(events) != 1 || events[0].Kind != Started || events[0].Report.Line != 1 {
		t.Fatalf("%+v, %v", events, err)
	}
	for _, now := range []time.Duration{0, 99 * time.Millisecond} {
		if events, err := monitor.Tick(now); err != nil || len(events) != 0 {
			t.Errorf("%v: %+v, %v", now, events, err)
		}
	}
	events, err = monitor.Tick(200 * time.Millisecond)
	if err != nil || len(events) != 1 || events[0].Report.Title != "kernel BUG in f" {
		t.Fatalf("%+v, %v", events, err)
	}
	if _, err := monitor.Push([]byte(" h+0x1/0x2\n")); err != nil {
		t.Error(err)
	}
	events, err = monitor.Finish()
	if err != nil || len(events) != 1 || events[0].Kind != Revised || events[0].Report.Index != 0 {
		t.Errorf("%+v, %v", events, err)
	}
	_, err = monitor.Tick(-1)
	is(t, err, ErrOption)
}

func TestIndex(t *testing.T) {
	index := newIndex(t)
	var reports []Report
	for _, path := range []string{"queue-add", "schedule-buff"} {
		reports = append(reports, parse(t, read(t, "tests/duplicates/"+path+".log"), nil)...)
	}
	reports = append(reports, parse(t, []byte(bug), nil)...)
	if _, known, err := index.Same(reports[0].Signature); known || err != nil {
		t.Error(known, err)
	}
	for n, report := range reports {
		if number, err := index.Add(report.Signature); err != nil || int(number) != n {
			t.Error(number, err)
		}
	}
	if number, known, err := index.Same(reports[1].JSON); number > 1 || !known || err != nil {
		t.Error(number, known, err)
	}
	matches, err := index.Match(reports[0].Signature, 2)
	// The score of a match is lower beside a better one: here the report itself.
	if err != nil || len(matches) != 2 || matches[0].Score < 0.9 || matches[1].Report != 1 ||
		matches[1].Title != reports[1].Title || matches[1].Score >= matches[0].Score || matches[1].Evidence == "" {
		t.Errorf("%+v, %v", matches, err)
	}
	clusters, err := index.Clusters()
	if err != nil || len(clusters) != 2 || !reflect.DeepEqual(clusters[0].Reports, []uint32{0, 1}) ||
		clusters[0].Count != 2 || clusters[0].ID == "" || !json.Valid(clusters[0].JSON) {
		t.Errorf("%+v, %v", clusters, err)
	}
	for n, same := range []bool{true, true, false} {
		if is, err := SameBug(reports[0].Signature, reports[n].Signature); is != same || err != nil {
			t.Error(n, is, err)
		}
	}
	// A person disagrees.
	if err := index.CannotLink(0, 1); err != nil {
		t.Error(err)
	}
	if err := index.MustLink(1, 2); err != nil {
		t.Error(err)
	}
	clusters, err = index.Clusters()
	if err != nil || len(clusters) != 2 || !reflect.DeepEqual(clusters[0].Reports, []uint32{1, 2}) {
		t.Errorf("%+v, %v", clusters, err)
	}
	// An index that is restored from its signatures.
	other := newIndex(t)
	for n := range reports {
		signature, err := index.Signature(uint32(n))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := other.Add(signature); err != nil {
			t.Error(err)
		}
	}
	if clusters, err := other.Clusters(); err != nil || len(clusters) != 2 {
		t.Errorf("%+v, %v", clusters, err)
	}
}

func TestHostileLogs(t *testing.T) {
	logs := [][]byte{
		nil,
		{},
		{0},
		bytes.Repeat([]byte{0xff, 0, '\n'}, 1000),
		bytes.Repeat([]byte("kernel BUG at "), 10000),
		bytes.Repeat([]byte("Call Trace:\n f+0xffffffffffffffffff/0x\n"), 1000),
		[]byte("BUG: KASAN: \x1b[31m\xe2\x80\xae in \x9b\x00+0x1/0x2\n"),
		bytes.Repeat([]byte(bug), 300),
	}
	for n, log := range logs {
		monitor := newMonitor(t, nil)
		if _, err := monitor.Push(log); err != nil {
			t.Error(n, err)
		}
		if _, err := monitor.Finish(); err != nil {
			t.Error(n, err)
		}
		for _, report := range parse(t, log, nil) {
			if strings.ContainsAny(report.Title+report.Text, "\x00\x1b\u009b\u202e") {
				t.Errorf("%d: %q", n, report.Text)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	index := newIndex(t)
	for text, code := range map[string]Code{
		"": ErrJSON, "{": ErrJSON, "7": ErrJSON, "{}": ErrJSON, "\"\xff\"": ErrUTF8, "[]": ErrJSON,
		strings.Repeat("[", 1<<20): ErrJSON, "{}\x00": ErrJSON,
	} {
		_, err := index.Add([]byte(text))
		is(t, err, code)
		_, err = index.Match([]byte(text), math.MaxUint)
		is(t, err, code)
		_, known, err := index.Same([]byte(text))
		is(t, err, code)
		if same, err := SameBug([]byte(text), []byte(text)); same || known || err == nil {
			t.Error(same, known, err)
		}
	}
	_, err := index.Add(nil)
	if err == nil || err.Error() != "ksplat: EOF while parsing a value at line 1 column 0" {
		t.Error(err)
	}
	report := parse(t, []byte(bug), nil)[0]
	old := bytes.Replace(report.Signature, []byte(`"version":`), []byte(`"version":1`), 1)
	_, err = index.Add(old)
	is(t, err, ErrVersion)
	is(t, index.MustLink(0, 0), ErrNumber)
	is(t, index.CannotLink(math.MaxUint32, 0), ErrNumber)
	_, err = index.Signature(7)
	is(t, err, ErrNumber)
	if ErrNumber.Error() == "" || ErrNumber.Error() == ErrJSON.Error() {
		t.Error(ErrNumber)
	}
	_, err = Parse(nil, &Options{Quiet: -time.Second})
	is(t, err, ErrOption)
	if clusters, err := index.Clusters(); err != nil || len(clusters) != 0 {
		t.Error(clusters, err)
	}
}

func TestOptions(t *testing.T) {
	log := []byte("Out of memory: Killed process 512 (stress) total-vm:2097152kB\n")
	if reports := parse(t, log, &Options{MaxLines: 5}); len(reports) != 0 {
		t.Errorf("%+v", reports)
	}
	if reports := parse(t, log, &Options{Information: true, Quiet: 1}); len(reports) != 1 {
		t.Errorf("%+v", reports)
	}
	log = []byte("Oct 01 10:00:00 host dockerd[812]: panic: close of closed channel\n")
	if reports := parse(t, log, &Options{AnyProgram: true, MaxOpen: 1}); len(reports) != 1 {
		t.Errorf("%+v", reports)
	}
}

func TestClose(t *testing.T) {
	monitor, index := newMonitor(t, nil), newIndex(t)
	for range [2]int{} {
		if a, b := monitor.Close(), index.Close(); a != nil || b != nil {
			t.Error(a, b)
		}
	}
	_, err := monitor.Push([]byte(bug))
	is(t, err, ErrClosed)
	_, err = monitor.Tick(0)
	is(t, err, ErrClosed)
	_, err = monitor.Finish()
	is(t, err, ErrClosed)
	_, err = index.Add([]byte("{}"))
	is(t, err, ErrClosed)
	_, err = index.Clusters()
	is(t, err, ErrClosed)
	is(t, index.MustLink(0, 0), ErrClosed)
}

// Objects without Close are freed by the garbage collector, not while they are used.
func TestFinalizers(t *testing.T) {
	for range [100]int{} {
		monitor, err := NewMonitor(nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := monitor.Push([]byte(bug)); err != nil {
			t.Error(err)
		}
		runtime.GC()
	}
}

func TestGoroutines(t *testing.T) {
	index, report := newIndex(t), parse(t, []byte(bug), nil)[0]
	var group sync.WaitGroup
	for n := 0; n < 8; n++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for m := 0; m < 8; m++ {
				if _, err := index.Add(report.Signature); err != nil {
					t.Error(err)
				}
				// The details are those of this goroutine's error.
				if _, err := index.Signature(1000); err == nil || !strings.Contains(err.Error(), "1000") {
					t.Error(err)
				}
				if _, err := Parse([]byte(bug), nil); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	group.Wait()
	if clusters, err := index.Clusters(); err != nil || len(clusters) != 1 || clusters[0].Count != 64 {
		t.Errorf("%+v, %v", clusters, err)
	}
}
