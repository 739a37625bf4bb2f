/*
 * Writes float32 triples (x, expf(x), logf(x)), little-endian, to stdout: what the C library that XGBoost calls gives.
 *
 *     cc -O1 -o glibc-exp-log glibc-exp-log.c -lm && ./glibc-exp-log > ../../../fixtures/scoring/glibc-2.36-exp-log.f32
 *
 * The committed file was made with glibc 2.36 on an x86-64 processor with fused multiply-add.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static void write_triple(float x) {
  float triple[3] = {x, expf(x), logf(x)};
  fwrite(triple, 4, 3, stdout);
}

int main(void) {
  /* The two inputs of all 2^32 for which an expf without fused multiply-add has another last bit; then the edges. */
  float edges[] = {0x1.04845ep+5f, -0x1.f8cbb2p+5f, 0.0f, -0.0f, 1.0f, -1.0f, 88.72283f, 88.72284f, -103.97207f,
                   -103.97209f, -87.5f, -100.0f, 1e-45f, 1.1754944e-38f, 3.4028235e38f, INFINITY, -INFINITY, NAN};
  for (unsigned i = 0; i < sizeof edges / sizeof *edges; i++) write_triple(edges[i]);
  /* From 2^-20 to 2^7, both signs, then positive values of every size. */
  for (uint32_t bits = 0x35800000; bits < 0x43000000; bits += 150001) {
    float x;
    memcpy(&x, &bits, 4);
    write_triple(x);
    write_triple(-x);
  }
  for (uint32_t bits = 1; bits < 0x7f800000; bits += 2800003) {
    float x;
    memcpy(&x, &bits, 4);
    write_triple(x);
  }
  return 0;
}
