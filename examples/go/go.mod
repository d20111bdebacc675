module ksplat.example/ksplat

go 1.19
