import { transportContract } from './contract.ts';
import {
  inProcessHome,
  messagePortHome,
  secureWebSocketHome,
  tcpHome,
  tlsHome,
  webSocketHome,
} from './homes.ts';

transportContract('TCP', tcpHome, { finds: true });
transportContract('TLS', tlsHome, { finds: true });
transportContract('WebSocket', webSocketHome, { finds: true });
transportContract('WebSocket over TLS', secureWebSocketHome, { finds: true });
transportContract('MessagePort', messagePortHome, { finds: false });
transportContract('in process', inProcessHome, { finds: false });
