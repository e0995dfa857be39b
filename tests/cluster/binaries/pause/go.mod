module mediaplatform.io/tests/pause

go 1.24
