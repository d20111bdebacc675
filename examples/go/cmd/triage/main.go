// Command triage prints the reports of logs: the log and the line, the number of the bug, and the
// title. Reports of one bug have one number.
//
//	go run ./cmd/triage LOG...
package main

import (
	"fmt"
	"os"

	"ksplat.example/ksplat"
)

func main() {
	if err := triage(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "triage:", err)
		os.Exit(2)
	}
}

func triage(paths []string) error {
	index, err := ksplat.NewIndex()
	if err != nil {
		return err
	}
	defer index.Close()
	// By the number of the report in the index.
	var lines, titles []string
	for _, path := range paths {
		log, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		reports, err := ksplat.Parse(log, nil)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for _, report := range reports {
			if _, err := index.Add(report.Signature); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			lines = append(lines, fmt.Sprintf("%s:%d", path, report.Line))
			titles = append(titles, report.Title)
		}
	}
	clusters, err := index.Clusters()
	if err != nil {
		return err
	}
	of := make([]int, len(lines))
	for bug, cluster := range clusters {
		for _, report := range cluster.Reports {
			of[report] = bug
		}
	}
	// Bugs are numbered from 1, in the order of the logs.
	numbers := make(map[int]int)
	for report, line := range lines {
		bug := of[report]
		if numbers[bug] == 0 {
			numbers[bug] = len(numbers) + 1
		}
		fmt.Printf("%s: bug %d: %s\n", line, numbers[bug], titles[report])
	}
	return nil
}
