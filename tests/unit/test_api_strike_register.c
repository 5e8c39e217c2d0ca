/*
 * The strike register: of all who claim a flight one at most is the first, whatever is full,
 * however the clock goes, with threads, with processes behind a fork and with processes that meet
 * at a file; and which files are no registers. RFC 8446, 8.
 */
#include "unit.h"

#include "api/strike_register.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The beginning of a window. */
#define NOW  (INT64_C(110000000) * STRIKE_WINDOW)
#define LAST (NOW + STRIKE_WINDOW - 1)

#define NOBODY 65534

struct name {
    uint8_t bytes[STRIKE_NAME_LEN];
};

static const struct crypto_lib *lib;

static struct name new_name(struct strike_register *reg)
{
    struct name name;

    assert_true(strike_register_name(reg, lib, name.bytes));
    return name;
}

static enum strike claim(struct strike_register *reg, const struct name *name, int64_t sent)
{
    return strike_register_claim(reg, lib, name->bytes, sizeof(name->bytes), sent);
}

static int set_up(void **state)
{
    *state = strike_register_new(lib);
    return *state == NULL;
}

static int tear_down(void **state)
{
    strike_register_close(*state);
    return 0;
}

/* --- One after another --- */

/* RFC 8446, 8.2: "... for any given ClientHello ... it will be accepted at most once". */
static void test_once(void **state)
{
    struct strike_register *reg = *state;
    struct name one = new_name(reg);
    struct name two = new_name(reg);

    assert_memory_not_equal(&one, &two, sizeof(one));
    assert_int_equal(claim(reg, &one, NOW), STRIKE_FIRST);
    assert_int_equal(claim(reg, &one, NOW), STRIKE_SEEN);
    assert_int_equal(claim(reg, &two, NOW), STRIKE_FIRST);
    assert_int_equal(claim(reg, &one, NOW), STRIKE_SEEN);
    assert_int_equal(claim(reg, &two, NOW), STRIKE_SEEN);
    assert_int_equal(strike_register_count(reg, STRIKE_FIRST), 2);
    assert_int_equal(strike_register_count(reg, STRIKE_SEEN), 3);
    assert_int_equal(strike_register_count(reg, STRIKE_FULL), 0);
    assert_int_equal(strike_register_count(reg, STRIKE_LATE), 0);
    assert_int_equal(strike_register_count(reg, STRIKE_FOREIGN), 0);
}

/* The same ticket in another flight, less than a window away or more. */
static void test_other_flights(void **state)
{
    struct strike_register *reg = *state;
    struct name early = new_name(reg);
    struct name late = new_name(reg);

    assert_int_equal(claim(reg, &early, NOW), STRIKE_FIRST);
    assert_int_equal(claim(reg, &early, LAST), STRIKE_SEEN);
    assert_int_equal(claim(reg, &early, NOW - 1), STRIKE_SEEN);
    assert_int_equal(claim(reg, &late, LAST), STRIKE_FIRST);
    assert_int_equal(claim(reg, &late, LAST + 1), STRIKE_SEEN);
    /* Forgotten, and a copy of the first flight is not taken for that. */
    assert_int_equal(claim(reg, &early, NOW + 2 * STRIKE_WINDOW), STRIKE_FIRST);
    assert_int_equal(claim(reg, &early, NOW), STRIKE_LATE);
    assert_int_equal(claim(reg, &early, NOW + 2 * STRIKE_WINDOW), STRIKE_SEEN);
}

static void test_impossible_times(void **state)
{
    static const int64_t times[] = {
        INT64_MIN, -1, 0, 1, 2 * STRIKE_WINDOW - 1, (int64_t)UINT32_MAX * STRIKE_WINDOW, INT64_MAX
    };
    struct strike_register *reg = *state;

    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        struct name name = new_name(reg);
        assert_int_equal(claim(reg, &name, times[i]), STRIKE_LATE);
    }
    struct name name = new_name(reg);
    assert_int_equal(claim(reg, &name, (int64_t)UINT32_MAX * STRIKE_WINDOW - 1), STRIKE_FIRST);
    assert_int_equal(claim(reg, &name, (int64_t)UINT32_MAX * STRIKE_WINDOW - 1), STRIKE_SEEN);
}

static void test_foreign(void **state)
{
    struct strike_register *reg = *state;
    struct strike_register *other = strike_register_new(lib);
    struct name name = new_name(other);

    assert_int_equal(claim(reg, &name, NOW), STRIKE_FOREIGN);
    assert_int_equal(claim(other, &name, NOW), STRIKE_FIRST);
    name = new_name(reg);
    for (size_t bit = 0; bit < 8 * sizeof(name.bytes); bit++) {
        name.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(claim(reg, &name, NOW), STRIKE_FOREIGN);
        name.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t len = 0; len < sizeof(name.bytes); len++) {
        assert_int_equal(strike_register_claim(reg, lib, name.bytes, len, NOW), STRIKE_FOREIGN);
    }
    assert_int_equal(claim(reg, &name, NOW), STRIKE_FIRST);
    strike_register_close(other);
}

/* --- Many --- */

#define PLACES ((size_t)STRIKE_NUM_BUCKETS * STRIKE_NUM_SLOTS)
#define MANY   (PLACES + PLACES / 4)

static struct name *new_names(struct strike_register *reg, size_t num)
{
    struct name *names = calloc(num, sizeof(*names));

    assert_non_null(names);
    for (size_t i = 0; i < num; i++) {
        names[i] = new_name(reg);
    }
    return names;
}

/* How often each answer was given to num names. */
static void claim_all(struct strike_register *reg, const struct name *names, size_t num,
                      int64_t sent, size_t counts[NUM_STRIKES])
{
    memset(counts, 0, NUM_STRIKES * sizeof(counts[0]));
    for (size_t i = 0; i < num; i++) {
        counts[claim(reg, &names[i], sent)]++;
    }
}

/* More flights than there is room for: what finds none is refused, and what was accepted stays
 * refused. Then newer windows, and a clock that is set back to the full one. */
static void test_full(void **state)
{
    struct strike_register *reg = *state;
    struct name *names = new_names(reg, MANY);
    size_t first[NUM_STRIKES];
    size_t counts[NUM_STRIKES];

    claim_all(reg, names, MANY, NOW, first);
    assert_int_equal(first[STRIKE_FIRST] + first[STRIKE_FULL], MANY);
    assert_in_range(first[STRIKE_FIRST], PLACES * 3 / 4, PLACES);
    assert_in_range(first[STRIKE_FULL], PLACES / 4, PLACES / 2);
    claim_all(reg, names, MANY, NOW, counts);
    assert_int_equal(counts[STRIKE_SEEN], first[STRIKE_FIRST]);
    assert_int_equal(counts[STRIKE_FULL], first[STRIKE_FULL]);
    /* The window beside has room of its own, and the one behind it takes this one's. */
    struct name *others = new_names(reg, PLACES / 8);
    claim_all(reg, others, PLACES / 8, NOW + STRIKE_WINDOW, counts);
    assert_int_equal(counts[STRIKE_FIRST], PLACES / 8);
    claim_all(reg, names, MANY, NOW, counts);
    assert_int_equal(counts[STRIKE_FIRST], 0);
    struct name *newest = new_names(reg, PLACES / 8);
    claim_all(reg, newest, PLACES / 8, NOW + 2 * STRIKE_WINDOW, counts);
    assert_int_equal(counts[STRIKE_FIRST], PLACES / 8);
    claim_all(reg, names, MANY, NOW, counts);
    assert_int_equal(counts[STRIKE_FIRST], 0);
    assert_true(counts[STRIKE_LATE] > 0);
    claim_all(reg, others, PLACES / 8, NOW + STRIKE_WINDOW, counts);
    assert_int_equal(counts[STRIKE_SEEN], PLACES / 8);
    free(names);
    free(others);
    free(newest);
}

/* With a thousand flights a second hardly any is refused without reason. */
static void test_a_busy_window(void **state)
{
    struct strike_register *reg = *state;
    size_t num = 1000 * STRIKE_WINDOW / 1000;
    struct name *names = new_names(reg, num);
    size_t counts[NUM_STRIKES];

    claim_all(reg, names, num, NOW, counts);
    assert_in_range(counts[STRIKE_FIRST], num - 3, num);
    assert_int_equal(counts[STRIKE_FIRST] + counts[STRIKE_FULL], num);
    free(names);
}

/* Whatever the clock did, in whichever order flights come: none is accepted twice. */
static void test_any_clock(void **state)
{
    enum { FLIGHTS = 400, WINDOWS = 7, ROUNDS = 20 };
    struct strike_register *reg = *state;
    struct name *names = new_names(reg, FLIGHTS);
    static bool accepted[FLIGHTS][WINDOWS];
    uint32_t seed = 1;

    for (size_t i = 0; i < (size_t)ROUNDS * FLIGHTS * WINDOWS; i++) {
        seed = seed * 1664525 + 1013904223;
        size_t flight = (seed >> 8) % FLIGHTS;
        size_t window = (seed >> 20) % WINDOWS;
        if (claim(reg, &names[flight], NOW + (int64_t)window * STRIKE_WINDOW) == STRIKE_FIRST) {
            assert_false(accepted[flight][window]);
            accepted[flight][window] = true;
        }
    }
    free(names);
}

/* --- At once --- */

#define NUM_THREADS 4
#define CONTESTED   4000

struct runner {
    struct strike_register *reg;
    const struct name *names;
    bool won[CONTESTED];
};

static void *run(void *arg)
{
    struct runner *r = arg;

    for (size_t i = 0; i < CONTESTED; i++) {
        r->won[i] = claim(r->reg, &r->names[i], NOW) == STRIKE_FIRST;
    }
    return NULL;
}

static void test_threads(void **state)
{
    static struct runner runners[NUM_THREADS];
    struct strike_register *reg = *state;
    struct name *names = new_names(reg, CONTESTED);
    pthread_t threads[NUM_THREADS];

    for (size_t i = 0; i < NUM_THREADS; i++) {
        runners[i] = (struct runner){ .reg = reg, .names = names };
        assert_int_equal(pthread_create(&threads[i], NULL, run, &runners[i]), 0);
    }
    for (size_t i = 0; i < NUM_THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    for (size_t i = 0; i < CONTESTED; i++) {
        size_t winners = 0;
        for (size_t j = 0; j < NUM_THREADS; j++) {
            winners += runners[j].won[i];
        }
        assert_int_equal(winners, 1);
    }
    assert_int_equal(strike_register_count(reg, STRIKE_FIRST), CONTESTED);
    assert_int_equal(strike_register_count(reg, STRIKE_SEEN), (NUM_THREADS - 1) * CONTESTED);
    free(names);
}

/* Results of processes, in memory that they share. */
static struct runner *shared_runners(void)
{
    struct runner *runners = mmap(NULL, NUM_THREADS * sizeof(*runners), PROT_READ | PROT_WRITE,
                                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_true(runners != MAP_FAILED);
    return runners;
}

/* Each contested name was won once, by one of num processes. */
static void assert_one_winner(struct runner *runners, size_t num)
{
    for (size_t i = 0; i < CONTESTED; i++) {
        size_t winners = 0;
        for (size_t j = 0; j < num; j++) {
            winners += runners[j].won[i];
        }
        assert_int_equal(winners, 1);
    }
    (void)munmap(runners, NUM_THREADS * sizeof(*runners));
}

static void wait_for_children(size_t num)
{
    for (size_t i = 0; i < num; i++) {
        int status = -1;
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
}

static void test_processes(void **state)
{
    struct strike_register *reg = *state;
    struct name *names = new_names(reg, CONTESTED);
    struct runner *runners = shared_runners();

    for (size_t i = 0; i < NUM_THREADS; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            runners[i].reg = reg;
            runners[i].names = names;
            (void)run(&runners[i]);
            _exit(0);
        }
    }
    wait_for_children(NUM_THREADS);
    assert_one_winner(runners, NUM_THREADS);
    assert_int_equal(strike_register_count(reg, STRIKE_FIRST), CONTESTED);
    free(names);
}

/* --- Files --- */

static char folder[] = "/dev/shm/tenon-strike-test-XXXXXX";
static char path[sizeof(folder) + 16];

static void overwrite(off_t at, const void *bytes, size_t len)
{
    int fd = open(path, O_RDWR);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, len, at), len);
    assert_int_equal(close(fd), 0);
}

static int set_up_file(void **state)
{
    *state = strike_register_open(lib, path);
    return *state == NULL;
}

static int tear_down_file(void **state)
{
    strike_register_close(*state);
    (void)unlink(path);
    return 0;
}

static void test_file(void **state)
{
    struct strike_register *reg = *state;
    struct strike_register *again = strike_register_open(lib, path);
    struct name name = new_name(reg);
    struct stat info;

    assert_non_null(again);
    assert_ptr_not_equal(again, reg);
    assert_int_equal(claim(again, &name, NOW), STRIKE_FIRST);
    assert_int_equal(claim(reg, &name, NOW), STRIKE_SEEN);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode, S_IFREG | 0600);
    assert_int_equal(info.st_size, strike_register_size());
    assert_true((size_t)info.st_blocks * 512 >= strike_register_size());
    /* It outlives those who use it. */
    strike_register_close(again);
    again = strike_register_open(lib, path);
    assert_int_equal(claim(again, &name, NOW), STRIKE_SEEN);
    /* One that is made in its place is another. */
    strike_register_close(again);
    assert_int_equal(unlink(path), 0);
    again = strike_register_open(lib, path);
    assert_int_equal(claim(again, &name, NOW), STRIKE_FOREIGN);
    strike_register_close(again);
}

/* Processes that meet for the first time. */
static void test_meeting(void **state)
{
    struct strike_register *reg = *state;
    struct name *names = new_names(reg, CONTESTED);
    struct runner *runners = shared_runners();

    for (size_t i = 0; i < NUM_THREADS; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            runners[i].reg = strike_register_open(lib, path);
            runners[i].names = names;
            _exit(runners[i].reg == NULL || run(&runners[i]) != NULL);
        }
    }
    wait_for_children(NUM_THREADS);
    assert_one_winner(runners, NUM_THREADS);
    free(names);
}

/* Whoever makes the file, all have the same. */
static void test_making(void **state)
{
    (void)state;
    for (int round = 0; round < 10; round++) {
        int ends[2];
        struct name names[NUM_THREADS];

        assert_int_equal(pipe(ends), 0);
        for (size_t i = 0; i < NUM_THREADS; i++) {
            pid_t child = fork();
            assert_true(child >= 0);
            if (child == 0) {
                struct strike_register *reg = strike_register_open(lib, path);
                struct name name;
                _exit(reg == NULL || !strike_register_name(reg, lib, name.bytes) ||
                      write(ends[1], &name, sizeof(name)) != sizeof(name));
            }
        }
        wait_for_children(NUM_THREADS);
        struct strike_register *reg = strike_register_open(lib, path);
        for (size_t i = 0; i < NUM_THREADS; i++) {
            assert_int_equal(read(ends[0], &names[i], sizeof(names[i])), sizeof(names[i]));
            assert_int_equal(claim(reg, &names[i], NOW), STRIKE_FIRST);
        }
        strike_register_close(reg);
        assert_int_equal(unlink(path), 0);
        (void)close(ends[0]);
        (void)close(ends[1]);
    }
}

static void assert_no_register(void)
{
    assert_null(strike_register_open(lib, path));
}

static void test_not_a_register(void **state)
{
    static const uint8_t zeros[32];
    char target[sizeof(path) + 8];
    const off_t size = (off_t)strike_register_size();

    (void)state;
    assert_int_equal(chmod(path, 0640), 0);
    assert_no_register();
    assert_int_equal(chmod(path, 0602), 0);
    assert_no_register();
    assert_int_equal(chmod(path, 0600), 0);
    strike_register_close(strike_register_open(lib, path));
    if (geteuid() == 0) {
        assert_int_equal(chown(path, NOBODY, NOBODY), 0);
        assert_no_register();
        assert_int_equal(chown(path, 0, 0), 0);
    }
    (void)snprintf(target, sizeof(target), "%s.target", path);
    assert_int_equal(rename(path, target), 0);
    assert_int_equal(symlink(target, path), 0);
    assert_no_register();
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_no_register();
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_no_register();
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rename(target, path), 0);
    /* Another size; the register itself; another form; no secret. */
    assert_int_equal(truncate(path, size + 1), 0);
    assert_no_register();
    assert_int_equal(truncate(path, size), 0);
    struct strike_register *reg = strike_register_open(lib, path);
    assert_non_null(reg);
    strike_register_close(reg);
    overwrite(14, "2", 1);
    assert_no_register();
    overwrite(14, "1", 1);
    overwrite(16, zeros, sizeof(zeros));
    assert_no_register();
    assert_int_equal(truncate(path, size - 1), 0);
    assert_no_register();
    assert_int_equal(truncate(path, 0), 0);
    assert_no_register();
}

/* Damage is no worse than a refusal, for as long as the window of the damage is ahead. */
static void test_damage(void **state)
{
    struct strike_register *reg = *state;
    size_t size = strike_register_size();
    uint8_t *damage = malloc(size);
    size_t counts[NUM_STRIKES];
    struct name *names = new_names(reg, 1000);

    assert_non_null(damage);
    memset(damage, 0xff, size);
    overwrite(4096, damage, size - 4096);
    claim_all(reg, names, 1000, NOW, counts);
    assert_int_equal(counts[STRIKE_LATE], 1000);
    fill_pattern(damage, size, 1, 7);
    overwrite(4096, damage, size - 4096);
    for (int round = 0; round < 2; round++) {
        claim_all(reg, names, 1000, NOW, counts);
        assert_int_equal(counts[STRIKE_FIRST] + counts[STRIKE_SEEN] + counts[STRIKE_LATE] +
                             counts[STRIKE_FULL],
                         1000);
    }
    assert_int_equal(counts[STRIKE_FIRST], 0);
    free(damage);
    free(names);
}

static void test_no_place(void **state)
{
    char long_path[5000];

    (void)state;
    assert_null(strike_register_open(lib, "/nonexistent/folder/register"));
    assert_null(strike_register_open(lib, "/proc/tenon-register"));
    memset(long_path, 'x', sizeof(long_path));
    long_path[0] = '/';
    long_path[sizeof(long_path) - 1] = '\0';
    assert_null(strike_register_open(lib, long_path));
    strike_register_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_flights, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_impossible_times, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_foreign, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_full, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_busy_window, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_any_clock, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_threads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_processes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_file, set_up_file, tear_down_file),
        cmocka_unit_test_setup_teardown(test_meeting, set_up_file, tear_down_file),
        cmocka_unit_test(test_making),
        cmocka_unit_test_setup_teardown(test_not_a_register, set_up_file, tear_down_file),
        cmocka_unit_test_setup_teardown(test_damage, set_up_file, tear_down_file),
        cmocka_unit_test(test_no_place),
    };
    int result;

    lib = crypto_lib_default();
    if (lib == NULL || mkdtemp(folder) == NULL) {
        return 1;
    }
    (void)snprintf(path, sizeof(path), "%s/register", folder);
    result = cmocka_run_group_tests(tests, NULL, NULL);
    (void)rmdir(folder);
    return result;
}
