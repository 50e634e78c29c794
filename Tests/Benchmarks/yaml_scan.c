// The floor for `validate`: libyaml's events of a whole file, counted and thrown away.
//
//   cc -O2 yaml_scan.c -lyaml -o yaml_scan && ./yaml_scan FILE
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

int main(int argc, char **argv) {
  FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;
  if (!file) return fprintf(stderr, "usage: yaml_scan FILE\n"), 2;
  fseek(file, 0, SEEK_END);
  long size = ftell(file);
  rewind(file);
  unsigned char *text = malloc((size_t)size);
  if (!text || fread(text, 1, (size_t)size, file) != (size_t)size) return perror("yaml_scan"), 1;
  yaml_parser_t parser;
  yaml_event_t event;
  yaml_parser_initialize(&parser);
  yaml_parser_set_input_string(&parser, text, (size_t)size);
  long events = 0;
  for (int more = 1; more; events++) {
    if (!yaml_parser_parse(&parser, &event)) return fprintf(stderr, "yaml_scan: %s\n", parser.problem), 1;
    more = event.type != YAML_STREAM_END_EVENT;
    yaml_event_delete(&event);
  }
  yaml_parser_delete(&parser);
  printf("%ld events\n", events);
  return 0;
}
