# syntax=docker/dockerfile:1
# One image, both binaries: /manager (the default) and /dispatcher. FROM scratch: no shell, no package manager, nothing to patch.
FROM golang:1.26 AS build
ARG VERSION=dev
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY api api
COPY cmd cmd
COPY controllers controllers
COPY internal internal
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /out/ ./cmd/manager ./cmd/dispatcher

FROM scratch
COPY --from=build /out/manager /out/dispatcher /
USER 65532:65532
ENTRYPOINT ["/manager"]
