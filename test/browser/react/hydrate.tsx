/** Takes over what a server has rendered. */
import { hydrateRoot } from 'react-dom/client';
import { App } from './rendered-by-server.tsx';

const url = new URL(location.href).searchParams.get('gateway') ?? '';
hydrateRoot(document.getElementById('root') ?? document.body, <App url={url} />);
