// Writes golang-tlog.json, by golang.org/x/mod/sumdb (tlog and note). To run it again:
//
//	go mod init vectors && go get golang.org/x/mod@v0.7.0 && go run golang-tlog.go golang-tlog.json [CHECKPOINT]
//
// CHECKPOINT is a file with a checkpoint of ours, signed by the same key, to be opened by note.Open.
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type obj map[string]interface{}

func b64(h tlog.Hash) string { return base64.StdEncoding.EncodeToString(h[:]) }
func list(p []tlog.Hash) []string {
	out := []string{}
	for _, h := range p {
		out = append(out, b64(h))
	}
	return out
}

func main() {
	const N = 70000
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(ix []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(ix))
		for i, x := range ix {
			out[i] = stored[x]
		}
		return out, nil
	})
	want := map[int64]bool{}
	for _, n := range []int64{1, 2, 3, 7, 8, 255, 256, 257, 511, 512, 1000, 65535, 65536, 65537, 70000} {
		want[n] = true
	}
	roots := []obj{}
	for i := int64(0); i < N; i++ {
		hs, err := tlog.StoredHashes(i, []byte(fmt.Sprintf("leaf %d", i)), reader)
		if err != nil {
			panic(err)
		}
		stored = append(stored, hs...)
		if want[i+1] {
			r, err := tlog.TreeHash(i+1, reader)
			if err != nil {
				panic(err)
			}
			roots = append(roots, obj{"size": i + 1, "root": b64(r)})
		}
	}
	inclusion := []obj{}
	for _, c := range [][2]int64{{0, 1}, {0, 2}, {1, 2}, {2, 3}, {6, 7}, {3, 8}, {255, 256}, {256, 257}, {0, 257}, {100, 1000}, {999, 1000}, {65535, 65536}, {65536, 65537}, {12345, 70000}, {69999, 70000}, {65600, 70000}} {
		p, err := tlog.ProveRecord(c[1], c[0], reader)
		if err != nil {
			panic(err)
		}
		inclusion = append(inclusion, obj{"index": c[0], "size": c[1], "proof": list(p)})
	}
	consistency := []obj{}
	for _, c := range [][2]int64{{1, 1}, {1, 2}, {2, 3}, {3, 7}, {7, 8}, {8, 257}, {255, 256}, {256, 257}, {256, 1000}, {511, 1000}, {512, 1000}, {1000, 65536}, {65535, 65536}, {65536, 65537}, {1000, 70000}, {65536, 70000}, {65537, 70000}, {70000, 70000}} {
		p, err := tlog.ProveTree(c[1], c[0], reader)
		if err != nil {
			panic(err)
		}
		consistency = append(consistency, obj{"oldSize": c[0], "newSize": c[1], "proof": list(p)})
	}
	tiles := []obj{}
	for _, t := range []tlog.Tile{{8, 0, 0, 256}, {8, 0, 3, 232}, {8, 0, 273, 112}, {8, 1, 0, 256}, {8, 1, 1, 17}, {8, 2, 0, 1}} {
		data, err := tlog.ReadTileData(t, reader)
		if err != nil {
			panic(err)
		}
		tiles = append(tiles, obj{"level": t.L, "index": t.N, "width": t.W, "path": t.Path(), "recordHashOfData": b64(tlog.RecordHash(data))})
	}
	paths := []obj{}
	for _, t := range []tlog.Tile{{8, 0, 0, 256}, {8, 0, 999, 256}, {8, 3, 1000, 1}, {8, 0, 1234067, 256}, {8, 63, 1234067, 255}} {
		paths = append(paths, obj{"level": t.L, "index": t.N, "width": t.W, "path": t.Path()})
	}
	origin := "bemi/5f0c3a4e9b7d4c0f8a51d2c6e3b9a870/1"
	seed := make([]byte, 32)
	for i := range seed {
		seed[i] = byte(i)
	}
	skey, vkey := keys(origin, seed)
	signer, err := note.NewSigner(skey)
	if err != nil {
		panic(err)
	}
	root, _ := tlog.TreeHash(70000, reader)
	body := fmt.Sprintf("%s\n%d\n%s\n", origin, 70000, b64(root))
	signed, err := note.Sign(&note.Note{Text: body}, signer)
	if err != nil {
		panic(err)
	}
	if len(os.Args) > 2 { // verify ours
		ours, _ := os.ReadFile(os.Args[2])
		v, err := note.NewVerifier(vkey)
		if err != nil {
			panic(err)
		}
		n, err := note.Open(ours, note.VerifierList(v))
		fmt.Fprintln(os.Stderr, "opened:", n != nil, err)
	}
	out, _ := json.MarshalIndent(obj{
		"source": "Made by golang.org/x/mod v0.7.0 (sumdb/tlog, sumdb/note; BSD-3-Clause): leaf i is the ASCII text `leaf <i>`, i from 0 to 69999. The key's seed is the bytes 00 to 1f.",
		"roots":  roots, "inclusion": inclusion, "consistency": consistency, "tiles": tiles, "paths": paths,
		"note": obj{"seed": base64.StdEncoding.EncodeToString(seed), "verifierKey": vkey, "signed": string(signed)},
	}, "", "  ")
	os.WriteFile(os.Args[1], append(out, '\n'), 0o644)
}
func keys(name string, seed []byte) (string, string) {
	priv := ed25519.NewKeyFromSeed(seed)
	vkey, err := note.NewEd25519VerifierKey(name, priv.Public().(ed25519.PublicKey))
	if err != nil {
		panic(err)
	}
	h := sha256.New()
	h.Write([]byte(name + "\n"))
	h.Write(append([]byte{1}, priv.Public().(ed25519.PublicKey)...))
	sum := binary.BigEndian.Uint32(h.Sum(nil))
	return fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", name, sum, base64.StdEncoding.EncodeToString(append([]byte{1}, seed...))), vkey
}
