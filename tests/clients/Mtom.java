import com.sun.xml.ws.api.message.Headers;
import com.sun.xml.ws.developer.WSBindingProvider;
import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.List;
import javax.activation.DataHandler;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import javax.xml.bind.JAXBContext;
import javax.xml.bind.annotation.XmlAccessType;
import javax.xml.bind.annotation.XmlAccessorType;
import javax.xml.bind.annotation.XmlAnyElement;
import javax.xml.bind.annotation.XmlAttribute;
import javax.xml.bind.annotation.XmlElement;
import javax.xml.bind.annotation.XmlMimeType;
import javax.xml.bind.annotation.XmlRootElement;
import javax.xml.bind.annotation.XmlValue;
import javax.xml.namespace.QName;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.ws.BindingProvider;
import javax.xml.ws.Dispatch;
import javax.xml.ws.Service;
import javax.xml.ws.soap.MTOMFeature;
import javax.xml.ws.soap.SOAPBinding;
import javax.xml.ws.soap.SOAPFaultException;
import org.w3c.dom.Element;

/** TD2.1 and TD3.2 by the reference implementation of JAX-WS, its own MTOM: url, authority, folder, "mtom" or not. */
public class Mtom {
    static final String XDSB = "urn:ihe:iti:xds-b:2007";

    @XmlRootElement(name = "ProvideAndRegisterDocumentSetRequest", namespace = XDSB)
    @XmlAccessorType(XmlAccessType.FIELD)
    static class Provide {
        @XmlAnyElement Element submission;
        @XmlElement(name = "Document", namespace = XDSB) List<Attached> documents = new ArrayList<>();
    }

    @XmlAccessorType(XmlAccessType.FIELD)
    static class Attached {
        @XmlAttribute String id;
        @XmlValue @XmlMimeType("application/octet-stream") DataHandler content;
    }

    @XmlRootElement(name = "RetrieveDocumentSetRequest", namespace = XDSB)
    @XmlAccessorType(XmlAccessType.FIELD)
    static class Retrieve {
        @XmlElement(name = "DocumentRequest", namespace = XDSB) Wanted wanted = new Wanted();
    }

    @XmlAccessorType(XmlAccessType.FIELD)
    static class Wanted {
        @XmlElement(name = "RepositoryUniqueId", namespace = XDSB) String repository;
        @XmlElement(name = "DocumentUniqueId", namespace = XDSB) String document;
    }

    @XmlRootElement(name = "RetrieveDocumentSetResponse", namespace = XDSB)
    @XmlAccessorType(XmlAccessType.FIELD)
    static class Retrieved {
        @XmlAnyElement List<Element> registry = new ArrayList<>();
        @XmlElement(name = "DocumentResponse", namespace = XDSB) List<Given> documents = new ArrayList<>();
    }

    @XmlAccessorType(XmlAccessType.FIELD)
    static class Given {
        @XmlElement(name = "DocumentUniqueId", namespace = XDSB) String document;
        @XmlElement(name = "Document", namespace = XDSB) @XmlMimeType("application/octet-stream") DataHandler content;
    }

    @XmlRootElement(name = "RegistryResponse", namespace = "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0")
    @XmlAccessorType(XmlAccessType.FIELD)
    static class Registered {
        @XmlAttribute String status;
        @XmlAnyElement(lax = true) List<Object> more = new ArrayList<>();
    }

    public static void main(String[] arguments) throws Exception {
        String url = arguments[0];
        trust(Path.of(arguments[1]));
        Path folder = Path.of(arguments[2]);
        boolean mtom = arguments[3].equals("mtom");
        try {
            Provide request = new Provide();
            request.submission = element(folder.resolve("submission.xml"));
            for (String id : List.of("Document01", "Signature01")) {
                Attached one = new Attached();
                one.id = id;
                one.content = new DataHandler(new javax.activation.FileDataSource(folder.resolve(id).toFile()));
                request.documents.add(one);
            }
            Object answer = call(url, "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b", "assertion1.xml", folder, request, mtom);
            System.out.println("fed " + ((Registered) answer).status);
            Retrieve wanted = new Retrieve();
            wanted.wanted.repository = arguments[4];
            wanted.wanted.document = arguments[5];
            Retrieved found = (Retrieved) call(url, "urn:ihe:iti:2007:RetrieveDocumentSet", "assertion2.xml", folder, wanted, mtom);
            Files.write(folder.resolve("fetched"), found.documents.get(0).content.getInputStream().readAllBytes());
            System.out.println("fetched " + found.documents.get(0).document);
        } catch (SOAPFaultException error) {
            System.out.println("fault " + error.getFault().getFaultSubcodes().next() + " " + error.getMessage());
        }
    }

    static Object call(String url, String action, String assertion, Path folder, Object body, boolean mtom) throws Exception {
        JAXBContext context =
                JAXBContext.newInstance(Provide.class, Retrieve.class, Retrieved.class, Registered.class);
        QName name = new QName(XDSB, "Service");
        QName port = new QName(XDSB, "Port");
        Service service = Service.create(name);
        service.addPort(port, SOAPBinding.SOAP12HTTP_BINDING, url);
        Dispatch<Object> dispatch =
                service.createDispatch(port, context, Service.Mode.PAYLOAD, new MTOMFeature(mtom, 0));
        dispatch.getRequestContext().put(BindingProvider.SOAPACTION_USE_PROPERTY, true);
        dispatch.getRequestContext().put(BindingProvider.SOAPACTION_URI_PROPERTY, action);
        String wsa = "http://www.w3.org/2005/08/addressing";
        ((WSBindingProvider) dispatch).setOutboundHeaders(
                Headers.create(new QName(wsa, "Action"), action),
                Headers.create(new QName(wsa, "MessageID"), "urn:uuid:" + java.util.UUID.randomUUID()),
                Headers.create(element(folder.resolve(assertion))));
        return dispatch.invoke(body);
    }

    static Element element(Path path) throws Exception {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        return factory.newDocumentBuilder().parse(path.toFile()).getDocumentElement();
    }

    static void trust(Path authority) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        store.setCertificateEntry("ca", factory.generateCertificate(new ByteArrayInputStream(Files.readAllBytes(authority))));
        TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        managers.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, managers.getTrustManagers(), null);
        javax.net.ssl.HttpsURLConnection.setDefaultSSLSocketFactory(context.getSocketFactory());
    }
}
