/* Reads handwritten digits from C: digits MODEL.yaml IMAGES.npy prints the class of each of the first images.
 *
 *   cc digits.c $(pkg-config --cflags --libs nnrun) -o digits
 *   ./digits models/digits/digits.yaml models/digits/digits.input.npy
 */
#include <nnrun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 4 };

/* The numbers of a .npy file of version 1, which begin after its header; how many come is the caller's to know. */
static int read_numbers(const char *path, float *numbers, size_t count) {
  unsigned char start[10];
  FILE *file = fopen(path, "rb");
  if (!file) return 0;
  int ok = fread(start, 1, sizeof start, file) == sizeof start && memcmp(start, "\x93NUMPY\x01", 7) == 0 &&
           fseek(file, start[8] | start[9] << 8, SEEK_CUR) == 0 && fread(numbers, sizeof *numbers, count, file) == count;
  fclose(file);
  return ok;
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: %s MODEL.yaml IMAGES.npy\n", argv[0]);
    return NNRUN_USAGE;
  }
  nnrun_model *model = nnrun_load(argv[1], 1);
  if (!model) {
    fprintf(stderr, "%s\n", nnrun_last_error());
    return nnrun_last_status();
  }
  int64_t shape[4] = {0}, classes[2] = {0};
  if (nnrun_input_shape(model, 0, ROWS, shape, 4) != 4 || nnrun_output_shape(model, 0, ROWS, classes, 2) != 2) {
    fprintf(stderr, "the model takes no images, or gives no classes\n");
    return NNRUN_INVALID_DATA;
  }
  printf("%s [%lld, %lld, %lld, %lld] -> %s [%lld, %lld]\n", nnrun_input_name(model, 0), (long long)shape[0],
         (long long)shape[1], (long long)shape[2], (long long)shape[3], nnrun_output_name(model, 0),
         (long long)classes[0], (long long)classes[1]);

  size_t pixels = ROWS * shape[1] * shape[2] * shape[3];
  float *images = malloc(pixels * sizeof *images);
  float *scores = malloc(ROWS * classes[1] * sizeof *scores);
  if (!images || !scores || !read_numbers(argv[2], images, pixels)) {
    fprintf(stderr, "%s holds no %d images of float32\n", argv[2], ROWS);
    return NNRUN_CANNOT_READ;
  }
  const float *inputs[] = {images};
  float *outputs[] = {scores};
  if (nnrun_run(model, ROWS, inputs, outputs) != NNRUN_OK) {
    fprintf(stderr, "%s\n", nnrun_last_error());
    return nnrun_last_status();
  }
  for (int row = 0; row < ROWS; row++) {
    int best = 0;
    for (int i = 1; i < classes[1]; i++)
      if (scores[row * classes[1] + i] > scores[row * classes[1] + best]) best = i;
    printf("image %d: %d (%.4f)\n", row, best, scores[row * classes[1] + best]);
  }
  free(images);
  free(scores);
  nnrun_free(model);
  return NNRUN_OK;
}
