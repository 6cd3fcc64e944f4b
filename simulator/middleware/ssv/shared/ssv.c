/* The SSV functions of the laboratory: each call goes to the bench over the socket that BIFENTE_SSV names.
 *
 * What a program gives is checked before it is followed: NULL and sizes beyond reason get a code. Zones are kept in a
 * list, so that one freed twice, or never given, harms nobody. One call at a time: a lock is held while it lasts.
 */
#include "ssv.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BAD_INPUT 0xF802
#define NO_BENCH 0xF600
#define NO_MEMORY 0x0010
#define LONGEST_TEXT 4096
#define LONGEST_ZONE (1u << 20)

struct zone {
    void *memory;
    struct zone *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct zone *zones;
static int bench = -1;
static pid_t owner;

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

/* One call: its name and texts, each after its length; the answer is a code and a zone. The lock is held. */
static uint16_t asked(const char *name, const char *const *texts, unsigned count, void **zone, uint32_t *size) {
    char request[8 + 6 * (LONGEST_TEXT + 4)];
    size_t length = 4;
    uint32_t total;
    uint16_t code;
    for (unsigned number = 0; number <= count; number++) {
        const char *text = number ? texts[number - 1] : name;
        uint32_t part = text ? (uint32_t)strnlen(text, LONGEST_TEXT) : LONGEST_TEXT;
        if (part >= LONGEST_TEXT) return BAD_INPUT;
        memcpy(request + length, &part, 4);
        memcpy(request + length + 4, text, part);
        length += 4 + part;
    }
    total = (uint32_t)(length - 4);
    memcpy(request, &total, 4);
    if (!joined()) return NO_BENCH;
    if (!whole(1, request, length) || !whole(0, &code, 2) || !whole(0, size, 4) || *size > LONGEST_ZONE) goto lost;
    *zone = *size ? keep(*size) : NULL;
    if (*size && !*zone) {
        close(bench);
        bench = -1;
        return NO_MEMORY;
    }
    if (*size && !whole(0, *zone, *size)) goto lost;
    return code;
lost:
    close(bench);
    bench = -1;
    return NO_BENCH;
}

static uint16_t call(const char *name, const char *const *texts, unsigned count, void **zone, size_t *size) {
    void *memory = NULL;
    uint32_t length = 0;
    uint16_t code;
    pthread_mutex_lock(&lock);
    code = asked(name, texts, count, &memory, &length);
    pthread_mutex_unlock(&lock);
    if (zone) {
        *zone = memory;
        *size = length;
    } else {
        SSV_LibererZoneMem(memory);
    }
    return code;
}

uint16_t SSV_InitLIB(void) { return call("SSV_InitLIB", NULL, 0, NULL, NULL); }

uint16_t SSV_TermLIB(void) { return call("SSV_TermLIB", NULL, 0, NULL, NULL); }

uint16_t SSV_LireConfig(void **zone, size_t *zone_taille) {
    if (!zone || !zone_taille) return BAD_INPUT;
    return call("SSV_LireConfig", NULL, 0, zone, zone_taille);
}

uint16_t SSV_LireDateLecteur(const char *lecteur, char *date) {
    const char *texts[] = {lecteur};
    void *zone = NULL;
    size_t size = 0;
    uint16_t code;
    if (!date) return BAD_INPUT;
    code = call("SSV_LireDateLecteur", texts, 1, &zone, &size);
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
    return call("SSV_MajDateLecteur", texts, 2, NULL, NULL);
}

uint16_t SSV_LireCartePS(const char *ps, const char *lecteur, const char *code, void **zone, size_t *zone_taille) {
    const char *texts[] = {ps, lecteur, code};
    if (!zone || !zone_taille) return BAD_INPUT;
    return call("SSV_LireCartePS", texts, 3, zone, zone_taille);
}

uint16_t SSV_LireDroitsVitale(const char *ps, const char *lecteur, const char *code, const char *date, void **zone,
                              size_t *zone_taille) {
    const char *texts[] = {ps, lecteur, code, date};
    if (!zone || !zone_taille) return BAD_INPUT;
    return call("SSV_LireDroitsVitale", texts, 4, zone, zone_taille);
}

uint16_t SSV_AllouerZoneMem(void **zone, size_t taille) {
    if (!zone || !taille || taille > LONGEST_ZONE) return BAD_INPUT;
    pthread_mutex_lock(&lock);
    *zone = keep(taille);
    pthread_mutex_unlock(&lock);
    return *zone ? 0 : NO_MEMORY;
}

void SSV_LibererZoneMem(void *zone) {
    struct zone **at, *found;
    if (!zone) return;
    pthread_mutex_lock(&lock);
    for (at = &zones; *at && (*at)->memory != zone; at = &(*at)->next) {
    }
    if ((found = *at)) {
        *at = found->next;
        free(found->memory);
        free(found);
    }
    pthread_mutex_unlock(&lock);
}
