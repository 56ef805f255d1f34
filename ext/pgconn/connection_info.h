/*
 * What is settled once a session is open: to what server it leads and how. It is read out then, so
 * that Pgconn::ConnectionInfo knows it while others drive the connection and when it has ended.
 */
#ifndef PGCONN_CONNECTION_INFO_H
#define PGCONN_CONNECTION_INFO_H

#include "pgconn.h"

/* A frozen Hash with the readers of ConnectionInfo by their names. Nobody may be in libpq. */
VALUE pgconn_connection_info(PGconn *pg);

#endif
