import java.util.HexFormat;
import java.util.List;
import javax.smartcardio.Card;
import javax.smartcardio.CardChannel;
import javax.smartcardio.CardException;
import javax.smartcardio.CardTerminal;
import javax.smartcardio.CommandAPDU;
import javax.smartcardio.ResponseAPDU;
import javax.smartcardio.TerminalFactory;

/** What a workstation in Java does: lists readers, connects, exchanges, waits for a removal. One line a thing. */
class Smartcard {
    public static void main(String[] arguments) throws Exception {
        List<CardTerminal> terminals = TerminalFactory.getInstance("PC/SC", null).terminals().list();
        for (CardTerminal terminal : terminals) {
            System.out.println("reader " + terminal.getName() + " " + terminal.isCardPresent());
        }
        CardTerminal terminal = terminals.get(0);
        Card card = terminal.connect("*");
        HexFormat hex = HexFormat.of();
        System.out.println("atr " + hex.formatHex(card.getATR().getBytes()));
        System.out.println("protocol " + card.getProtocol());
        card.beginExclusive();
        CardChannel channel = card.getBasicChannel();
        for (String command : arguments) {
            ResponseAPDU answer = channel.transmit(new CommandAPDU(hex.parseHex(command)));
            System.out.println("answer " + hex.formatHex(answer.getBytes()));
        }
        card.endExclusive();
        try {
            terminals.get(1).connect("*");
            System.out.println("other connected");
        } catch (CardException refused) {
            System.out.println("other " + refused.getClass().getSimpleName());
        }
        card.disconnect(true);
        System.out.println("waiting");
        System.out.println("absent " + terminal.waitForCardAbsent(10000));
        System.out.println("now " + terminal.isCardPresent());
    }
}
