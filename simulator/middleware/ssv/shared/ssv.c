/* The SSV functions of the laboratory: each call goes to the bench over the socket that BIFENTE_SSV names.
 *
 * What a program gives is checked before it is followed: NULL and sizes beyond reason get a code. The kernel copies the
 * zones that come in, so that a size that leads out of the program's memory gets one too. Zones given out are kept in a
 * list, so that one freed twice, or never given, harms nobody. One call at a time: a lock is held while it lasts.
 */
#include "ssv.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BAD_INPUT 0xF802
#define NO_BENCH 0xF600
#define NO_MEMORY 0x0010
#define LONGEST_TEXT 4096
#define LONGEST_ZONE (1u << 20)
#define LONGEST_REQUEST (4u << 20)
#define MOST_ZONES 256

struct zone {
    void *memory;
    struct zone *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct zone *zones;
static int bench = -1;
static pid_t owner;
static FILE *trace;

struct given {
    const char *name;
    const char *const *texts;
    unsigned count;
    unsigned zone_count;
    const void *zones[MOST_ZONES];
    size_t sizes[MOST_ZONES];
};

struct gotten {
    uint16_t code;
    uint16_t count;
    void *zones[MOST_ZONES];
    size_t sizes[MOST_ZONES];
};

static void *keep(size_t size) {
    struct zone *kept = malloc(sizeof *kept);
    void *memory = calloc(1, size ? size : 1);
    if (!kept || !memory) {
        free(kept);
        free(memory);
        return NULL;
    }
    kept->memory = memory;
    kept->next = zones;
    zones = kept;
    return memory;
}

/* The lock is held. */
static void release(void *memory) {
    struct zone **at, *found;
    for (at = &zones; *at && (*at)->memory != memory; at = &(*at)->next) {
    }
    if ((found = *at)) {
        *at = found->next;
        free(found->memory);
        free(found);
    }
}

/* Copy what a program points to; what it cannot read itself is an error of the kernel's, no signal. */
static int copied(void *to, const void *from, size_t size) {
    int between = memfd_create("ssv", MFD_CLOEXEC), done;
    if (between < 0) return 0;
    done = pwrite(between, from, size, 0) == (ssize_t)size && pread(between, to, size, 0) == (ssize_t)size;
    close(between);
    return done;
}

static int whole(int out, void *data, size_t size) {
    char *at = data;
    while (size) {
        ssize_t done = out ? send(bench, at, size, MSG_NOSIGNAL) : recv(bench, at, size, 0);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return 0;
        at += done;
        size -= (size_t)done;
    }
    return 1;
}

static int joined(void) {
    const char *path = getenv("BIFENTE_SSV");
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    if (bench >= 0 && owner == getpid()) return 1;
    if (bench >= 0) close(bench); /* that of the process that forked this one */
    bench = -1;
    if (!path || strlen(path) >= sizeof name.sun_path) return 0;
    strcpy(name.sun_path, path);
    bench = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bench < 0) return 0;
    if (connect(bench, (struct sockaddr *)&name, sizeof name) != 0) {
        close(bench);
        bench = -1;
        return 0;
    }
    owner = getpid();
    return 1;
}

/* One call as bytes: its length, then its name, texts and zones, each after its own. NULL, and a code, if it is none. */
static char *packed(const struct given *given, size_t *length, uint16_t *code) {
    uint32_t parts[1 + 8 + MOST_ZONES], total = 0;
    unsigned number, texts = 1 + given->count;
    char *request, *at;
    *code = BAD_INPUT;
    for (number = 0; number < texts + given->zone_count; number++) {
        if (number < texts) {
            const char *text = number ? given->texts[number - 1] : given->name;
            parts[number] = text ? (uint32_t)strnlen(text, LONGEST_TEXT) : LONGEST_TEXT;
            if (parts[number] >= LONGEST_TEXT) return NULL;
        } else {
            size_t size = given->sizes[number - texts];
            if (!given->zones[number - texts] || !size || size > LONGEST_ZONE) return NULL;
            parts[number] = (uint32_t)size;
        }
        total += 4 + parts[number];
        if (total > LONGEST_REQUEST) return NULL;
    }
    *length = 4 + (size_t)total;
    if (!(request = malloc(*length))) {
        *code = NO_MEMORY;
        return NULL;
    }
    memcpy(request, &total, 4);
    at = request + 4;
    for (number = 0; number < texts + given->zone_count; number++) {
        memcpy(at, &parts[number], 4);
        at += 4;
        if (number < texts) {
            memcpy(at, number ? given->texts[number - 1] : given->name, parts[number]);
        } else if (!copied(at, given->zones[number - texts], parts[number])) {
            explicit_bzero(request, *length);
            free(request);
            return NULL;
        }
        at += parts[number];
    }
    return request;
}

/* The answer: a code, and zones each after its size. The lock is held. */
static int answered(struct gotten *gotten) {
    uint16_t count;
    uint32_t size;
    if (!whole(0, &gotten->code, 2) || !whole(0, &count, 2) || count > MOST_ZONES) return 0;
    while (gotten->count < count) {
        void *zone;
        if (!whole(0, &size, 4) || size > LONGEST_ZONE || !(zone = keep(size))) return 0;
        gotten->zones[gotten->count] = zone;
        gotten->sizes[gotten->count++] = size;
        if (!whole(0, zone, size)) return 0;
    }
    return 1;
}

static void call(const struct given *given, struct gotten *gotten) {
    size_t length = 0;
    char *request = packed(given, &length, &gotten->code);
    gotten->count = 0;
    pthread_mutex_lock(&lock);
    if (request && (!joined() || !whole(1, request, length) || !answered(gotten))) {
        while (gotten->count) release(gotten->zones[--gotten->count]);
        if (bench >= 0) close(bench);
        bench = -1;
        gotten->code = NO_BENCH;
    }
    if (trace) {
        fprintf(trace, "%s %04X", given->name, gotten->code);
        for (unsigned number = 0; number < gotten->count; number++) fprintf(trace, " %zu", gotten->sizes[number]);
        fputc('\n', trace);
        fflush(trace);
    }
    pthread_mutex_unlock(&lock);
    if (request) explicit_bzero(request, length);
    free(request);
}

static uint16_t given_one(struct given *given, void **zone, size_t *size) {
    struct gotten gotten;
    call(given, &gotten);
    if (zone) {
        *zone = gotten.count ? gotten.zones[0] : NULL;
        *size = gotten.count ? gotten.sizes[0] : 0;
    } else if (gotten.count) {
        SSV_LibererZoneMem(gotten.zones[0]);
    }
    return gotten.code;
}

static uint16_t simple(const char *name, const char *const *texts, unsigned count, void **zone, size_t *size) {
    struct given given = {.name = name, .texts = texts, .count = count};
    return given_one(&given, zone, size);
}

static int taken(struct given *given, int16_t count, void *const zones_in[], const size_t sizes[]) {
    if (count < 1 || count > MOST_ZONES || !zones_in || !sizes) return 0;
    given->zone_count = (unsigned)count;
    return copied(given->zones, zones_in, (size_t)count * sizeof *zones_in) &&
           copied(given->sizes, sizes, (size_t)count * sizeof *sizes);
}

uint16_t SSV_InitLIB(void) { return simple("SSV_InitLIB", NULL, 0, NULL, NULL); }

uint16_t SSV_TermLIB(void) { return simple("SSV_TermLIB", NULL, 0, NULL, NULL); }

uint16_t SSV_LireConfig(void **zone, size_t *zone_taille) {
    if (!zone || !zone_taille) return BAD_INPUT;
    return simple("SSV_LireConfig", NULL, 0, zone, zone_taille);
}

uint16_t SSV_LireDateLecteur(const char *lecteur, char *date) {
    const char *texts[] = {lecteur};
    void *zone = NULL;
    size_t size = 0;
    uint16_t code;
    if (!date) return BAD_INPUT;
    code = simple("SSV_LireDateLecteur", texts, 1, &zone, &size);
    date[0] = 0;
    if (code == 0 && size == 14) {
        memcpy(date, zone, size);
        date[size] = 0;
    }
    SSV_LibererZoneMem(zone);
    return code;
}

uint16_t SSV_MajDateLecteur(const char *lecteur, const char *date) {
    const char *texts[] = {lecteur, date};
    return simple("SSV_MajDateLecteur", texts, 2, NULL, NULL);
}

uint16_t SSV_LireCartePS(const char *ps, const char *lecteur, const char *code, void **zone, size_t *zone_taille) {
    const char *texts[] = {ps, lecteur, code};
    if (!zone || !zone_taille) return BAD_INPUT;
    return simple("SSV_LireCartePS", texts, 3, zone, zone_taille);
}

uint16_t SSV_LireDroitsVitale(const char *ps, const char *lecteur, const char *code, const char *date, void **zone,
                              size_t *zone_taille) {
    const char *texts[] = {ps, lecteur, code, date};
    if (!zone || !zone_taille) return BAD_INPUT;
    return simple("SSV_LireDroitsVitale", texts, 4, zone, zone_taille);
}

uint16_t SSV_FormaterFactures(const char *ps, const char *lecteur, const char *code, char a_creer, char mode,
                              const void *entree, size_t entree_taille, void **sortie, size_t *sortie_taille) {
    const char wanted[] = {a_creer, 0}, how[] = {mode, 0}, *texts[] = {ps, lecteur, code, wanted, how};
    struct given given = {.name = "SSV_FormaterFactures", .texts = texts, .count = 5, .zone_count = 1};
    if (!sortie || !sortie_taille) return BAD_INPUT;
    given.zones[0] = entree;
    given.sizes[0] = entree_taille;
    return given_one(&given, sortie, sortie_taille);
}

uint16_t SSV_FormaterLot(const char *ps, const char *lecteur, const char *code, int16_t entree_nombre,
                         void *const entree[], const size_t entree_taille[], int16_t *sortie_nombre, void *sortie[],
                         size_t sortie_taille[]) {
    const char *texts[] = {ps, lecteur, code ? code : ""};
    struct given given = {.name = "SSV_FormaterLot", .texts = texts, .count = 3};
    struct gotten gotten;
    if (!sortie_nombre || !sortie || !sortie_taille) return BAD_INPUT;
    *sortie_nombre = 0;
    if (!taken(&given, entree_nombre, entree, entree_taille)) return BAD_INPUT;
    call(&given, &gotten);
    for (unsigned number = 0; number < gotten.count; number++) {
        if (number < given.zone_count) { /* the program's arrays have room for no more */
            sortie[number] = gotten.zones[number];
            sortie_taille[number] = gotten.sizes[number];
            *sortie_nombre = (int16_t)(number + 1);
        } else {
            SSV_LibererZoneMem(gotten.zones[number]);
        }
    }
    return gotten.code;
}

uint16_t SSV_TraduireARL(int16_t entree_nombre, void *const entree[], const size_t entree_taille[], void **sortie,
                         size_t *sortie_taille) {
    struct given given = {.name = "SSV_TraduireARL"};
    if (!sortie || !sortie_taille || !taken(&given, entree_nombre, entree, entree_taille)) return BAD_INPUT;
    return given_one(&given, sortie, sortie_taille);
}

uint16_t SSV_TraduireFSE(const void *entree, size_t entree_taille, void **sortie, size_t *sortie_taille) {
    struct given given = {.name = "SSV_TraduireFSE", .zone_count = 1};
    if (!sortie || !sortie_taille) return BAD_INPUT;
    given.zones[0] = entree;
    given.sizes[0] = entree_taille;
    return given_one(&given, sortie, sortie_taille);
}

/* The bench judges and records what is asked for; the file is the program's, and holds neither codes nor zones. */
uint16_t SSV_InitTrace(const char *fichier, const char *ouverture, uint16_t module, uint8_t niveau) {
    char which[8], how[8];
    const char *texts[] = {fichier, ouverture, which, how};
    FILE *opened = NULL;
    uint16_t code;
    snprintf(which, sizeof which, "%u", module);
    snprintf(how, sizeof how, "%u", niveau);
    code = simple("SSV_InitTrace", texts, 4, NULL, NULL);
    if (code) return code;
    if (niveau && !(opened = fopen(fichier, *ouverture == 'w' ? "we" : "ae"))) return BAD_INPUT;
    pthread_mutex_lock(&lock);
    if (trace) fclose(trace);
    trace = opened;
    pthread_mutex_unlock(&lock);
    return 0;
}

uint16_t SSV_AllouerZoneMem(void **zone, size_t taille) {
    if (!zone || !taille || taille > LONGEST_ZONE) return BAD_INPUT;
    pthread_mutex_lock(&lock);
    *zone = keep(taille);
    pthread_mutex_unlock(&lock);
    return *zone ? 0 : NO_MEMORY;
}

void SSV_LibererZoneMem(void *zone) {
    if (!zone) return;
    pthread_mutex_lock(&lock);
    release(zone);
    pthread_mutex_unlock(&lock);
}
