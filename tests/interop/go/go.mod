module tenon/interop

go 1.19
