/* One client under load, as light as a client can be: asks several echo cards in turn and checks every answer.
 * load_client SECONDS {READER MARK}...   MARK: the three bytes the card puts before what it was given.
 * Says "ready", waits for a line, then one JSON object as load_client.py does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <winscard.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int count, char **given)
{
    SCARDCONTEXT context;
    SCARDHANDLE handles[16];
    DWORD protocol;
    unsigned marks[16], chance = 1;
    int cards = (count - 2) / 2;
    long asked = 0, wrong = 0, refused = 0;

    if (cards < 1 || cards > 16 || SCardEstablishContext(SCARD_SCOPE_USER, NULL, NULL, &context) != SCARD_S_SUCCESS)
        return 1;
    for (int i = 0; i < cards; i++) {
        marks[i] = strtoul(given[3 + 2 * i], NULL, 16);
        /* pcscd sees a card that has just come up to 0.4 s later. */
        int tries = 100;
        while (SCardConnect(context, given[2 + 2 * i], SCARD_SHARE_SHARED, SCARD_PROTOCOL_T0, &handles[i], &protocol)
               != SCARD_S_SUCCESS) {
            if (--tries == 0)
                return 1;
            nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        }
    }
    puts("\"ready\"");
    fflush(stdout);
    getchar();
    double begun = now(), end = begun + atof(given[1]);
    while (now() < end && wrong + refused <= 20) {
        unsigned char command[256] = {0x00, 0xDA, 0x00, 0x00}, answer[300];
        DWORD length = sizeof answer;
        chance = chance * 1103515245u + 12345u;
        int i = (chance >> 16) % cards, size = 1 + (chance >> 24) % 200;
        command[4] = size;
        memset(command + 5, (unsigned char)asked, size);
        if (SCardTransmit(handles[i], SCARD_PCI_T0, command, 5 + size, NULL, answer, &length) != SCARD_S_SUCCESS)
            refused++;
        else if (length != 5u + size || (answer[0] << 16 | answer[1] << 8 | answer[2]) != marks[i]
                 || memcmp(answer + 3, command + 5, size) != 0)
            wrong++;
        asked++;
    }
    printf("{\"count\": %ld, \"wrong\": [%s], \"refused\": [%s], \"seconds\": %f}\n", asked, wrong ? "1" : "",
           refused ? "1" : "", now() - begun);
    return 0;
}
